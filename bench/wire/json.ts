import { arenas } from '../../src/otlp/arena.ts'
import { toJson } from '../../src/otlp/json.ts'
import { fromJson } from '../../src/otlp/json-input.ts'
import { ExportTraceServiceRequest, traceRequest } from './fixture.ts'

/*
 * What OTLP/JSON costs per span, in and out, against the usual way: `JSON.parse` and `JSON.stringify` with protobufjs behind or
 * before them. `tools/node bench/wire/json.ts [rounds]`. Contestants take turns, and ratios are of medians of the same run.
 */

const SPANS = 1000
const requests = [1, 2, 3, 4].map((seed) => new Uint8Array(traceRequest(SPANS, seed)))
const documents = requests.map((request) => toJson('traces', [request]))
const rounds = Number(process.argv[2] ?? 15)
const TURN_MS = 40

type Tree = { [name: string]: unknown }

/** Ids in bytes, as protobufjs wants them. */
function withIds(document: Tree): object {
  for (const { scopeSpans } of document['resourceSpans'] as { scopeSpans: { spans: Tree[] }[] }[]) {
    for (const { spans } of scopeSpans) {
      for (const span of spans) {
        for (const name of ['traceId', 'spanId', 'parentSpanId']) span[name] = Buffer.from(span[name] as string, 'hex')
      }
    }
  }
  return document
}

function parseObjects(document: Uint8Array): number {
  const tree = JSON.parse(Buffer.from(document.buffer, document.byteOffset, document.byteLength).toString()) as Tree
  return ExportTraceServiceRequest.encode(withIds(tree)).finish().length
}

function writeObjects(request: Uint8Array): number {
  const tree = ExportTraceServiceRequest.decode(request)
  return Buffer.from(JSON.stringify(tree, (_, value: unknown) => (value instanceof Uint8Array ? hex(value) : value)))
    .length
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

function read(document: Uint8Array): number {
  const bytes = fromJson('traces', document, { limit: 1 << 26 })
  arenas.release(bytes)
  return bytes.length
}

interface Case {
  readonly name: string
  readonly run: (bytes: Uint8Array) => number
  readonly inputs: readonly Uint8Array[]
  /** Of the case that does the same the usual way. */
  readonly peer: string
}

const PARSE = 'in: JSON.parse, protobufjs encode'
const STRINGIFY = 'out: protobufjs decode, JSON.stringify'
const cases: readonly Case[] = [
  { name: 'in: fromJson', run: read, inputs: documents, peer: PARSE },
  { name: PARSE, run: parseObjects, inputs: documents, peer: PARSE },
  { name: 'out: toJson', run: (request) => toJson('traces', [request]).length, inputs: requests, peer: STRINGIFY },
  { name: STRINGIFY, run: writeObjects, inputs: requests, peer: STRINGIFY },
]

/** CPU nanoseconds per span over one turn. */
function turn({ run, inputs }: Case): number {
  const until = performance.now() + TURN_MS
  const start = process.threadCpuUsage()
  let spans = 0
  do {
    for (const input of inputs) run(input)
    spans += inputs.length * SPANS
  } while (performance.now() < until)
  const used = process.threadCpuUsage(start)
  return ((used.user + used.system) * 1000) / spans
}

const samples = new Map<string, number[]>(cases.map(({ name }) => [name, []]))
for (const entry of cases) for (let i = 0; i < 40; i++) entry.run(entry.inputs[i % entry.inputs.length]!)
for (let round = 0; round < rounds; round++) for (const entry of cases) samples.get(entry.name)!.push(turn(entry))

const mean = (list: readonly Uint8Array[]) =>
  Math.round(list.reduce((sum, { length }) => sum + length, 0) / list.length / SPANS)
const median = (name: string) => samples.get(name)!.toSorted((a, b) => a - b)[rounds >> 1]!
console.log(
  `${SPANS} spans a request, ${mean(requests)} bytes each in protobuf, ${mean(documents)} in JSON; CPU ns/span`,
)
for (const { name, peer } of cases) {
  const list = samples.get(name)!
  const spread = `(${Math.min(...list).toFixed(0)} to ${Math.max(...list).toFixed(0)})`
  const times = `${(median(peer) / median(name)).toFixed(1)}x`
  console.log(`${name.padEnd(42)}${median(name).toFixed(0).padStart(7)} ${spread.padEnd(18)}${times.padStart(7)}`)
}
