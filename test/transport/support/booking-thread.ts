import { parentPort, workerData } from 'node:worker_threads'
import { Admission } from '../../../src/transport/admission.ts'
import { Reservation } from '../../../src/transport/reservation.ts'
import { Random } from '../../otlp/support/random.ts'

// One of several threads that book and give back as fast as they can. Says how many were refused, and how often it saw more booked than
// there is.

const { memory, seed, rounds } = workerData as { memory: SharedArrayBuffer; seed: number; rounds: number }
const admission = new Admission(memory)
const random = new Random(seed)
const open: Reservation[] = []
let refused = 0
let past = 0
for (let i = 0; i < rounds; i++) {
  const begun = admission.begin(false)
  if (begun instanceof Reservation && begun.grow(random.below(200_000)) === undefined) open.push(begun)
  else {
    refused++
    if (begun instanceof Reservation) begun.release()
  }
  if (admission.reserved > admission.limit) past++
  if (open.length > 8 || random.below(3) === 0) open.splice(random.below(open.length), 1)[0]?.release()
}
for (const one of open) one.release()
parentPort!.postMessage({ refused, past })
