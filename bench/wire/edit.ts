import { arenas } from '../../src/otlp/arena.ts'
import { countItems } from '../../src/otlp/count.ts'
import { encodeValue } from '../../src/otlp/encode.ts'
import { Key } from '../../src/otlp/key.ts'
import { TraceEditor } from '../../src/otlp/trace-editor.ts'
import { validate } from '../../src/otlp/validate.ts'
import { ExportTraceServiceRequest, traceRequest } from './fixture.ts'

/*
 * What the wire costs per span, against protobufjs (the static code that OpenTelemetry ships): `tools/node bench/wire/edit.ts [rounds]`.
 * Ends with 1 where a run of enough rounds misses the target.
 *
 * The contestants take turns, round by round, and the ratios are of medians of the same run: the machine may be busy, but then
 * it is for all of them. Requests differ from turn to turn (4 of them), so that nothing lives on one request in the cache.
 */

const SPANS = 1000
const requests = [1, 2, 3, 4].map((seed) => new Uint8Array(traceRequest(SPANS, seed)))
const rounds = Number(process.argv[2] ?? 25)
const TURN_MS = 25
/** The edit has to be this many times cheaper than protobufjs' decoding and encoding without any edit. */
const TARGET = 12
/** With fewer rounds a median says nothing. */
const ENOUGH_ROUNDS = 5

const keys = { user: Key.of('user.id'), url: Key.of('url.full'), env: Key.of('deployment.environment') }
const session = Key.of('session.id')
const redacted = encodeValue('redacted')
const production = encodeValue('production')
const editor = new TraceEditor()

/** Deletes two attributes, replaces one and inserts one in every span: what two usual `attributes` processors do. */
function edit(request: Uint8Array): number {
  editor.open(request)
  while (editor.nextResource()) {
    while (editor.nextScope()) {
      while (editor.nextRecord()) {
        const { attributes } = editor.span
        attributes.delete(keys.user)
        attributes.set(keys.url, redacted)
        attributes.insert(keys.env, production)
        attributes.delete(session)
      }
    }
  }
  const chunk = editor.finish().chunk!
  // As a pipeline does when the delivery is settled.
  arenas.release(chunk)
  return chunk.length
}

function editObjects(request: Uint8Array): number {
  const message = ExportTraceServiceRequest.decode(request)
  for (const { scopeSpans } of message.resourceSpans) {
    for (const { spans } of scopeSpans) {
      for (const span of spans) {
        span.attributes = span.attributes.filter(({ key }) => key !== 'user.id' && key !== 'session.id')
        const url = span.attributes.find(({ key }) => key === 'url.full')
        if (url) url.value = { stringValue: 'redacted' }
        if (!span.attributes.some(({ key }) => key === 'deployment.environment')) {
          span.attributes.push({ key: 'deployment.environment', value: { stringValue: 'production' } })
        }
      }
    }
  }
  return ExportTraceServiceRequest.encode(message).finish().length
}

function recode(request: Uint8Array): number {
  return ExportTraceServiceRequest.encode(ExportTraceServiceRequest.decode(request)).finish().length
}

/** Visits every span without touching it. */
function visit(request: Uint8Array): number {
  editor.open(request)
  let kinds = 0
  while (editor.nextResource()) {
    while (editor.nextScope()) {
      while (editor.nextRecord()) kinds += editor.span.kind
    }
  }
  editor.finish()
  return kinds
}

function lookUp(request: Uint8Array): number {
  editor.open(request)
  let found = 0
  while (editor.nextResource()) {
    while (editor.nextScope()) {
      while (editor.nextRecord()) found += editor.span.attributes.has(keys.env) ? 1 : 0
    }
  }
  editor.finish()
  return found
}

const cases: readonly { readonly name: string; readonly run: (request: Uint8Array) => number }[] = [
  { name: 'count', run: (request) => countItems('traces', request) },
  { name: 'validate', run: (request) => validate('traces', request) },
  { name: 'visit every span', run: visit },
  { name: 'look an attribute up in every span', run: lookUp },
  { name: 'edit: index, 4 edits, write', run: edit },
  { name: 'protobufjs: decode, 4 edits, encode', run: editObjects },
  { name: 'protobufjs: decode, encode', run: recode },
]

/** CPU nanoseconds per span over one turn. */
function turn(run: (request: Uint8Array) => number): number {
  const until = performance.now() + TURN_MS
  const start = process.threadCpuUsage()
  let spans = 0
  do {
    for (const request of requests) run(request)
    spans += requests.length * SPANS
  } while (performance.now() < until)
  const used = process.threadCpuUsage(start)
  return ((used.user + used.system) * 1000) / spans
}

const measured = cases.map((entry) => ({ ...entry, samples: [] as number[] }))
for (const { run } of measured) for (let i = 0; i < 100; i++) run(requests[i % requests.length]!)
for (let round = 0; round < rounds; round++) {
  for (const { run, samples } of measured) samples.push(turn(run))
}

const bytes = requests.reduce((sum, request) => sum + request.length, 0) / requests.length / SPANS
console.log(
  `${SPANS} spans of ${Math.round(bytes)} bytes a request, CPU ns/span: median (min to max) of ${rounds} turns`,
)
const median = (samples: readonly number[]) => samples.toSorted((a, b) => a - b)[samples.length >> 1]!
const peer = median(measured.at(-1)!.samples)
for (const { name, samples } of measured) {
  const middle = median(samples)
  const spread = `(${Math.min(...samples).toFixed(0)} to ${Math.max(...samples).toFixed(0)})`
  console.log(
    `${name.padEnd(38)}${middle.toFixed(0).padStart(7)} ${spread.padEnd(18)}${(peer / middle).toFixed(1).padStart(7)}x`,
  )
}

const times = peer / median(measured.find(({ run }) => run === edit)!.samples)
const reached = times >= TARGET
console.log(
  `index, 4 edits and write are ${times.toFixed(1)}x cheaper than decode and encode; target ${TARGET}x: ${reached ? 'reached' : 'MISSED'}`,
)
if (!reached && rounds >= ENOUGH_ROUNDS) process.exitCode = 1
