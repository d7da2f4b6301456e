import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../../src/clock.ts'
import type { ComponentContext } from '../../../src/component/contracts.ts'
import { ack, type Consumer, type Delivery, deliver, nack } from '../../../src/component/delivery.ts'
import { keyed } from '../../../src/component/keyed.ts'
import { Mesh } from '../../../src/lanes/mesh.ts'
import { meshNamesakes } from '../../../src/lanes/mesh-namesakes.ts'
import { arenas } from '../../../src/otlp/arena.ts'
import { traceKey } from '../../../src/otlp/record-key.ts'
import { PipelineLedger } from '../../../src/telemetry/ledger.ts'
import { SharedMeter } from '../../../src/telemetry/shared-meter.ts'
import { Random } from '../../otlp/support/random.ts'
import { type Mark, markedBatch, marksOf } from './marked-spans.ts'

/*
 * A lane with one pipeline: a source of marked spans, a keyed processor that holds deliveries for a while, and ends of all kinds. It tells the
 * test what the processor got and how each delivery of the source ended. Bytes that are read too late show: they are overwritten.
 */

interface Data {
  readonly lane: number
  readonly lanes: number
  readonly seed: number
  readonly first: number
  readonly meter: SharedArrayBuffer
  readonly traces: number
  /** Where reports go: what was posted before the thread ends arrives. */
  readonly reports: MessagePort
}

export type Report =
  | { readonly type: 'series'; readonly series: never }
  | { readonly type: 'got'; readonly marks: readonly Mark[] }
  | { readonly type: 'given'; readonly number: number; readonly items: number }
  | { readonly type: 'ended'; readonly numbers: readonly number[]; readonly how: string }
  | { readonly type: 'quiet'; readonly unsettled: number; readonly held: number; readonly idleBytes: number }

arenas.poison = true
const { lane, lanes, seed, first, meter: memory, traces, reports } = workerData as Data
const say = (report: object): void => reports.postMessage(report)
const random = new Random(seed)
const ledger = new PipelineLedger(new SharedMeter(memory, (series) => say({ type: 'series', series })), 'traces')
const mesh = new Mesh({ lane, lanes, clock: systemClock })
const held: Delivery[] = []

/** Says what it gets at once, and ends it later, in any order. */
const processor: Consumer = {
  acknowledges: 'delivered',
  consume(delivery) {
    say({ type: 'got', marks: marksOf(delivery.batch) })
    held.push(delivery)
  },
}

function endOne(): void {
  const [delivery] = held.splice(random.below(held.length), 1)
  const { items } = delivery!.batch
  if (random.chance(0.1)) delivery!.admit()
  if (random.chance(0.9)) {
    ledger.sent(items)
    ack(delivery!)
  } else {
    ledger.failed('unreachable', items)
    nack(delivery!, { verdict: 'retry', reason: 'unreachable', message: 'for a test' })
  }
}

const scope = { kind: 'processor', id: 'keyed', pipeline: 'traces', signals: ['traces'], books: ledger } as const
const namesakes = meshNamesakes(mesh, { ...scope, extension: () => undefined })
const ctx: Pick<ComponentContext, 'id' | 'lane' | 'namesakes' | 'ledger'> = {
  id: 'keyed',
  lane: { index: lane, count: lanes },
  namesakes,
  ledger: {
    failed: (_, reason, items) => ledger.failed(reason, items),
    dropped: (_, reason, items) => ledger.dropped('keyed', reason, items),
    folded: (_, items) => ledger.folded('keyed', items),
    made: (_, items) => ledger.accepted(items),
    given: (_, items) => ledger.given(items),
    taken: (_, items) => ledger.taken(items),
  },
}
const head = keyed('traces', traceKey('traces'), ctx, processor)

let number = first
let unsettled = 0
let stopping = false

function bring(): void {
  const marks = Array.from({ length: 1 + random.below(60) }, () => ({
    trace: random.below(traces),
    lane,
    number: number++,
  }))
  const batch = markedBatch(marks)
  ledger.accepted(batch.items)
  unsettled++
  head.consume(
    deliver(batch, {
      settled(outcome) {
        unsettled--
        arenas.releaseAll(batch.chunks)
        const how = outcome.ok ? 'ok' : outcome.failure.reason
        say({ type: 'ended', numbers: marks.map((mark) => mark.number), how })
      },
    }),
  )
}

function turn(): void {
  if (!stopping) for (let i = random.below(3); i > 0; i--) bring()
  for (let i = Math.min(held.length, random.below(6)); i > 0; i--) endOne()
  if (stopping && unsettled === 0 && held.length === 0) {
    say({ type: 'quiet', unsettled: mesh.unsettled, held: arenas.held, idleBytes: arenas.idleBytes })
  }
  setTimeout(turn, random.below(3))
}

parentPort!.on('message', (message: { type: 'peer'; lane: number; port: MessagePort } | { type: 'stop' }) => {
  if (message.type === 'peer') mesh.connect(message.lane, message.port)
  else stopping = true
})
turn()
