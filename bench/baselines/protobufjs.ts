/**
 * Baseline (a): the same pipeline as most engines build it. @grpc/grpc-js receives, protobufjs (static code of
 * @opentelemetry/otlp-transformer) decodes every span into objects, processors edit those, protobufjs encodes them again.
 *
 *   tools/node bench/baselines/protobufjs.ts IN_PORT OUT_PORT pass|edit
 */
import { Client, credentials, Server, ServerCredentials, status } from '@grpc/grpc-js'
import root from 'otlp-transformer-with-decoder/build/src/generated/root.js'

interface KeyValue {
  key: string
  value: object
}
interface Span {
  attributes: KeyValue[]
}
interface TraceRequest {
  resourceSpans: { scopeSpans: { spans: Span[] }[] }[]
}
interface Codec {
  decode(bytes: Uint8Array): TraceRequest
  encode(message: TraceRequest): { finish(): Uint8Array }
}

const [inPort, outPort, mode] = process.argv.slice(2)
const PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
const UNLIMITED = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 }
interface Generated {
  opentelemetry: { proto: { collector: { trace: { v1: { ExportTraceServiceRequest: Codec } } } } }
}
const codec = (root as unknown as Generated).opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest
const same = (bytes: Buffer): Buffer => bytes
const client = new Client(`127.0.0.1:${outPort}`, credentials.createInsecure(), UNLIMITED)

type Answer = (error: { readonly code: status } | null, response?: Buffer) => void

function send(request: TraceRequest, answers: readonly Answer[]): void {
  const serialize = (message: TraceRequest): Buffer => {
    const bytes = codec.encode(message).finish()
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }
  client.makeUnaryRequest(PATH, serialize, same, request, (error, response) => {
    for (const answer of answers) {
      if (error) answer({ code: status.UNAVAILABLE })
      else answer(null, response)
    }
  })
}

function spansOf(request: TraceRequest): Span[] {
  return request.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
}

/** The four processors of the edit case, one after the other as the Collector runs them. */
const PROCESSORS: readonly ((attributes: KeyValue[], span: Span) => void)[] = [
  (attributes) => {
    if (!attributes.some(({ key }) => key === 'cluster')) {
      attributes.push({ key: 'cluster', value: { stringValue: 'bench-1' } })
    }
  },
  (attributes) => {
    const found = attributes.find(({ key }) => key === 'server.address')
    if (found) found.value = { stringValue: 'redacted' }
  },
  (attributes) => {
    const found = attributes.find(({ key }) => key === 'url.scheme')
    if (found) found.value = { stringValue: 'http' }
    else attributes.push({ key: 'url.scheme', value: { stringValue: 'http' } })
  },
  (attributes, span) => {
    span.attributes = attributes.filter(({ key }) => key !== 'user_agent.original')
  },
]

const BATCH_SIZE = 8192
const QUIET_MS = 5
let held: TraceRequest = { resourceSpans: [] }
let heldSpans = 0
let waiting: Answer[] = []
let timer: NodeJS.Timeout | undefined

function flush(): void {
  if (waiting.length === 0) return
  send(held, waiting)
  held = { resourceSpans: [] }
  heldSpans = 0
  waiting = []
}

function edit(request: TraceRequest, answer: Answer): void {
  for (const process of PROCESSORS) for (const span of spansOf(request)) process(span.attributes, span)
  held.resourceSpans.push(...request.resourceSpans)
  heldSpans += spansOf(request).length
  waiting.push(answer)
  clearTimeout(timer)
  if (heldSpans >= BATCH_SIZE) flush()
  else timer = setTimeout(flush, QUIET_MS)
}

const server = new Server(UNLIMITED)
server.addService(
  {
    export: {
      path: PATH,
      requestStream: false,
      responseStream: false,
      requestSerialize: same,
      requestDeserialize: (bytes: Buffer) => codec.decode(bytes),
      responseSerialize: same,
      responseDeserialize: same,
    },
  },
  {
    export: (call: { readonly request: TraceRequest }, answer: Answer) => {
      if (mode === 'edit') edit(call.request, answer)
      else send(call.request, [answer])
    },
  },
)
server.bindAsync(`127.0.0.1:${inPort}`, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error
})
