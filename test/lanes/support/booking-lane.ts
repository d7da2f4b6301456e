import { type MessagePort, workerData } from 'node:worker_threads'
import { ThreadMemory } from '../../../src/memory/thread-memory.ts'
import { PipelineLedger } from '../../../src/telemetry/ledger.ts'
import { SharedMeter } from '../../../src/telemetry/shared-meter.ts'
import { Admission } from '../../../src/transport/admission.ts'
import { Reservation } from '../../../src/transport/reservation.ts'
import { Random } from '../../otlp/support/random.ts'

// Books as a lane does that is busy, until it is terminated: each batch is booked, accepted, held for a while and ends in one of every way.

const { port, thread, seed, meter, admission, memory } = workerData as {
  port: MessagePort
  thread: number
  seed: number
  meter: SharedArrayBuffer
  admission: SharedArrayBuffer
  memory: SharedArrayBuffer
}
const own = new SharedMeter(meter, (series) => port.postMessage(series))
const books = ['traces', 'logs'].map((pipeline) => new PipelineLedger(own, pipeline))
const budget = new Admission(admission, thread)
const size = own.gauge('queue', {}, { description: 'What is held now.' })
const random = new Random(seed)
const held: { readonly ledger: PipelineLedger; readonly items: number; readonly room: Reservation | undefined }[] = []

new ThreadMemory(memory, thread).publish()
budget.limiting(true)
budget.limiting(false)
for (let i = 0; ; i++) {
  const begun = budget.begin(false)
  const ledger = books[i % 2]!
  const items = 1 + random.below(100)
  ledger.accepted(items)
  held.push({ ledger, items, room: begun instanceof Reservation ? begun : undefined })
  size.set(held.length)
  if (i === 100) port.postMessage('busy')
  if (held.length < 20) continue
  const { ledger: its, items: left, room } = held.splice(random.below(held.length), 1)[0]!
  const part = random.below(left + 1)
  its.dropped('filter', `reason_${i % 7}`, part)
  const rest = random.below(left - part + 1)
  its.failed(`reason_${i % 5}`, rest)
  its.folded('interval', 0)
  its.sent(left - part - rest)
  room?.release()
}
