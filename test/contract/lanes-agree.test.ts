// Every component in an engine with one, two and four lanes, all of them at once: what comes out is the same set, and the
// books close. What this does not show: that it is right (the component's own tests), what clients bring to several lanes at
// once, and what happens when one is lost (test/lanes).
import { BroadcastChannel } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Definition } from '../../src/component/define.ts'
import { siblingModule } from '../../src/lanes/sibling-module.ts'
import type { Signal } from '../../src/otlp/batch.ts'
import { type LedgerRow, total } from '../../src/telemetry/ledger.ts'
import { runLanes } from '../lanes/support/run-lanes.ts'
import { type Backend, startBackend } from '../support/backend.ts'
import { itemsOf, someBatches } from './support/data.ts'
import { type Collected, digest, partsOf, recordsOf } from './support/lane-exam.ts'
import { definitions, nameOf, SMALLEST } from './support/subjects.ts'

const LANES = [1, 2, 4]
const BATCHES = 12
const GENERATED = 30

/** Exporters whose other end is looked at, with what points them there. */
const TO_BACKEND: Readonly<Record<string, (backend: Backend) => object>> = {
  'exporter otlp_grpc': ({ grpc }) => ({ endpoint: grpc, tls: { insecure: true }, timeout: '1m' }),
  'exporter otlp_http': ({ http }) => ({ endpoint: http, compression: 'none', timeout: '1m' }),
}
/** Receivers that make data without being asked, with what makes it a known amount. */
const SOURCES: Readonly<Record<string, object>> = { 'receiver generator': { total: GENERATED } }

interface Result {
  /** By pipeline. */
  readonly books: Readonly<Record<string, LedgerRow>>
  /** By exporter of the exam, records as `recordsOf` gives them. */
  readonly collected: ReadonlyMap<string, readonly string[]>
  /** Records that came to the backend, by exporter and signal. */
  readonly delivered: ReadonlyMap<string, readonly string[]>
}

interface Exam {
  readonly receivers: Record<string, object>
  readonly processors: Record<string, object>
  readonly exporters: Record<string, object>
  readonly connectors: Record<string, object>
  readonly extensions: Record<string, object>
  readonly pipelines: Record<string, object>
}

const batches = new Map<Signal, ReturnType<typeof someBatches>>()
function dataOf(signal: Signal): ReturnType<typeof someBatches> {
  const known = batches.get(signal) ?? someBatches(signal, BATCHES, 11)
  batches.set(signal, known)
  return known
}

/** Every component in pipelines of its own, one for each of its signals. */
function examOf(backend: Backend, channel: string): Exam {
  const exam: Exam = { receivers: {}, processors: {}, exporters: {}, connectors: {}, extensions: {}, pipelines: {} }
  for (const subject of definitions) {
    const { kind, type, signals } = subject
    const own = `${type}/exam`
    const config = {
      ...SMALLEST[nameOf(subject)],
      ...TO_BACKEND[nameOf(subject)]?.(backend),
      ...SOURCES[nameOf(subject)],
    }
    exam[`${kind}s`][own] = config
    if (kind === 'extension') continue
    for (const signal of signals) {
      const id = `${kind}-${type}`
      const share = `share/${signal}`
      const collected = `collected/${id}-${signal}`
      exam.receivers[share] = { parts: partsOf(dataOf(signal)) }
      const ends = kind === 'exporter' ? own : collected
      if (ends === collected) exam.exporters[collected] = { channel }
      exam.pipelines[`${signal}/${id}`] = {
        receivers: [kind === 'receiver' ? own : share],
        processors: kind === 'processor' ? [own] : [],
        exporters: [kind === 'connector' ? own : ends],
      }
      if (kind === 'connector') exam.pipelines[`${signal}/${id}-after`] = { receivers: [own], exporters: [collected] }
    }
  }
  return exam
}

async function sit(lanes: number): Promise<Result> {
  const backend = await startBackend()
  const name = `lanes-agree-${process.pid}-${lanes}`
  const channel = new BroadcastChannel(name)
  const heard: Collected[] = []
  channel.onmessage = (event) => void heard.push((event as { readonly data: Collected }).data)
  const { pipelines, ...components } = examOf(backend, name)
  const inLanes = definitions.filter((each) => each.kind !== 'extension' || each.place !== 'host')
  const extensions = inLanes.filter(({ kind }) => kind === 'extension').map(({ type }) => `${type}/exam`)
  const engine = await runLanes(
    { ...components, service: { extensions, pipelines } },
    { lanes, components: siblingModule(import.meta.url, 'support/lane-components') },
  )
  try {
    const expected = Object.keys(pipelines).reduce((items, id) => items + expectedOf(id), 0)
    const ended = (): number => engine.ledger().reduce((items, { accepted, held }) => items + accepted - held, 0)
    await vi.waitFor(() => expect(ended()).toBe(expected), { timeout: 20_000, interval: 200 })
    await engine.supervisor.stop(5000)
    expect(engine.lost).toEqual([])
    const books = Object.fromEntries(engine.ledger().map((row) => [row.pipeline, row]))
    const records = group(
      heard.flatMap(({ id, signal, chunks }) => chunks.map((bytes) => ({ key: id, signal, bytes }))),
    )
    return { books, collected: records, delivered: deliveredOf(backend) }
  } finally {
    await engine.supervisor.stop(0)
    channel.close()
    await backend.stop()
  }
}

/** Items that a pipeline of the exam is given. */
function expectedOf(pipeline: string): number {
  const [signal, id] = pipeline.split('/') as [Signal, string]
  if (id === 'receiver-generator') return GENERATED
  return id.startsWith('receiver-') ? 0 : itemsOf(dataOf(signal))
}

function group(
  chunks: readonly { readonly key: string; readonly signal: Signal; readonly bytes: Uint8Array }[],
): Map<string, string[]> {
  return new Map([...Map.groupBy(chunks, ({ key }) => key)].map(([key, requests]) => [key, recordsOf(requests)]))
}

function deliveredOf({ received }: Backend): Map<string, string[]> {
  const items = Map.groupBy(received, ({ by, signal }) => `${by} ${signal}`)
  return new Map([...items].map(([key, requests]) => [key, setOf(requests.map(({ request }) => textOf(request)))]))
}

/** What may come twice once, and short: a difference is to be read. */
function setOf(texts: readonly string[]): string[] {
  return [...new Set(texts.map(digest))].sort()
}

function textOf(request: object): string {
  return JSON.stringify(request, (_, field: unknown) => (typeof field === 'bigint' ? `${field}n` : field))
}

const results: Result[] = []
beforeAll(async () => {
  for (const lanes of LANES) {
    results.push(await sit(lanes))
  }
})
afterAll(() => {
  results.length = 0
})

const nameOfCase = (subject: Definition): string => nameOf(subject)
const inPipelines = definitions
  .filter(({ kind }) => kind !== 'extension')
  .map((each) => [nameOfCase(each), each] as const)

describe.each(inPipelines)('%s', (_, { kind, type, signals }) => {
  test.each(signals.map((signal) => [signal] as const))('%s: one, two and four lanes agree', (signal) => {
    const id = `${kind}-${type}`
    const [one, ...more] = results
    const row = one!.books[`${signal}/${id}`]
    for (const { books, collected, delivered } of more) {
      expect(books[`${signal}/${id}`]).toEqual(row)
      const seen = `collected/${id}-${signal}`
      if (id !== 'receiver-generator') expect(collected.get(seen)).toEqual(one!.collected.get(seen))
      const by = type === 'otlp_grpc' ? 'grpc' : 'http'
      if (nameOf({ kind, type }) in TO_BACKEND) {
        expect(delivered.get(`${by} ${signal}`)).toEqual(one!.delivered.get(`${by} ${signal}`))
      }
    }
    if (row === undefined) return expect(expectedOf(`${signal}/${id}`)).toBe(0)
    expect(row).toMatchObject({ accepted: expectedOf(`${signal}/${id}`), held: 0 })
    expect(row.sent + total(row.dropped) + total(row.failed) + total(row.folded)).toBe(row.accepted)
  })
})

test('what is compared is there: every record of a component that passes all', () => {
  for (const { collected, delivered } of results) {
    for (const signal of ['traces', 'metrics', 'logs'] as const) {
      expect(collected.get(`collected/processor-batch-${signal}`)).toHaveLength(itemsOf(dataOf(signal)))
      expect(delivered.get(`grpc ${signal}`)?.length).toBeGreaterThan(0)
    }
  }
})
