import { parentPort, workerData } from 'node:worker_threads'
import { Admission } from '../../../src/transport/admission.ts'
import { Reservation } from '../../../src/transport/reservation.ts'
import { Random } from '../../otlp/support/random.ts'

// One of several threads that book and give back as fast as they can. Says how many were refused, and how often more was booked than
// there is. `held` is a count of KiB beside the budget's own, exact at every instant: added after a booking, taken off before it is given back.

const { memory, held, thread, seed, rounds } = workerData as {
  memory: SharedArrayBuffer
  held: SharedArrayBuffer
  thread: number
  seed: number
  rounds: number
}
const admission = new Admission(memory, thread)
const together = new Int32Array(held)
const limit = admission.limit / 1024
const random = new Random(seed)
const open: Reservation[] = []
let refused = 0
let past = 0

const kib = (one: Reservation): number => Math.ceil(one.bytes / 1024)

function release(one: Reservation | undefined): void {
  if (one === undefined) return
  Atomics.sub(together, 0, kib(one))
  one.release()
}

for (let i = 0; i < rounds; i++) {
  const begun = admission.begin(false)
  if (begun instanceof Reservation && begun.grow(random.below(200_000)) === undefined) {
    if (Atomics.add(together, 0, kib(begun)) + kib(begun) > limit) past++
    open.push(begun)
  } else {
    refused++
    if (begun instanceof Reservation) begun.release()
  }
  if (open.length > 8 || random.below(3) === 0) release(open.splice(random.below(open.length), 1)[0])
}
for (const one of open) release(one)
parentPort!.postMessage({ refused, past })
