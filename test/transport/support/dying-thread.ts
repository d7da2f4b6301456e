import { parentPort, workerData } from 'node:worker_threads'
import { Admission } from '../../../src/transport/admission.ts'
import { Reservation } from '../../../src/transport/reservation.ts'
import { Random } from '../../otlp/support/random.ts'

// Books everything that can be booked and gives it back, until it is terminated.

const { memory, thread, seed } = workerData as { memory: SharedArrayBuffer; thread: number; seed: number }
const admission = new Admission(memory, thread)
const random = new Random(seed)
const open: Reservation[] = []
let connections = 0
let wide = 0
let limiters = 0

parentPort!.postMessage('began')
for (;;) {
  const begun = admission.begin(random.below(2) === 0)
  if (begun instanceof Reservation) {
    if (begun.grow(random.below(100_000)) === undefined) open.push(begun)
    else begun.release()
  }
  if (open.length > 4 || random.below(3) === 0) open.splice(random.below(open.length), 1)[0]?.release()
  if (connections < 3 && admission.openConnection('http2')) connections++
  else if (connections > 0) {
    admission.closeConnection('http2')
    connections--
  }
  if (wide < 2 && admission.widen(1 << 14)) wide++
  else if (wide > 0) {
    admission.narrow(1 << 14)
    wide--
  }
  if (random.below(20) === 0) admission.limiting(limiters++ % 2 === 0)
}
