/**
 * Both ends of a bench in one process: a gRPC client that keeps a fixed number of prebuilt requests in flight, and the sink
 * behind the engine that counts what arrives. On node:http2 without a gRPC library, so that one core can outrun the engines.
 *
 * The runner talks to it over the IPC channel: one `Command` in, one `Reply` out.
 */
import { readFileSync } from 'node:fs'
import { type ClientHttp2Session, connect, createServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { countItems } from '../src/otlp/count.ts'
import { type RequestShape, traceRequest } from './fixtures.ts'

export type Command =
  | { readonly do: 'listen' }
  | { readonly do: 'start'; readonly port: number; readonly load: Load }
  | { readonly do: 'warm'; readonly pid: number; readonly cpuMs: number; readonly atMostMs: number }
  | { readonly do: 'measure'; readonly pid: number; readonly ms: number }
  | { readonly do: 'drain' }

export interface Load extends Omit<RequestShape, 'seed'> {
  readonly connections: number
  /** Requests in flight on each connection. */
  readonly inFlight: number
}

export interface Window {
  readonly ms: number
  /** CPU that the engine's process took, user and system, in µs. Resolution: a tick of 10 ms. */
  readonly cpuMicros: number
  readonly items: number
  readonly requests: number
}

export interface Totals {
  readonly sent: number
  readonly acknowledged: number
  readonly delivered: number
  readonly failures: readonly string[]
}

export type Reply = { readonly port: number } | { readonly done: true } | Window | Totals

const PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
const WINDOW = 16 << 20
const TICKS_PER_SECOND = 100
/** An empty ExportTraceServiceResponse in its gRPC frame. */
const EMPTY_RESPONSE = Buffer.alloc(5)

let sent = 0
let acknowledged = 0
let answered = 0
let delivered = 0
let inFlight = 0
let running = false
let idle: (() => void) | undefined
const failures: string[] = []
const sessions: ClientHttp2Session[] = []

function listen(): Promise<number> {
  const server = createServer({ settings: { initialWindowSize: WINDOW } })
  server.on('session', (session) => session.setLocalWindowSize(WINDOW))
  server.on('stream', receive)
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

function receive(stream: ServerHttp2Stream): void {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('error', () => {})
  stream.on('end', () => {
    delivered += countItems('traces', Buffer.concat(chunks).subarray(5))
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(EMPTY_RESPONSE)
  })
}

async function start(port: number, load: Load): Promise<void> {
  running = true
  const seeds = Array.from({ length: load.connections * load.inFlight }, (_, i) => i + 1)
  const bodies = seeds.map((seed) => frame(traceRequest({ ...load, seed })))
  for (let c = 0; c < load.connections; c++) {
    const session = connect(`http://127.0.0.1:${port}`)
    session.on('error', (error) => failures.push(error.message))
    sessions.push(session)
    for (let i = 0; i < load.inFlight; i++) send(session, bodies[c * load.inFlight + i]!, load.spans)
  }
}

function frame(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(5 + message.length)
  framed.writeUInt32BE(message.length, 1)
  framed.set(message, 5)
  return framed
}

function send(session: ClientHttp2Session, body: Buffer, spans: number): void {
  sent += spans
  inFlight++
  let status: unknown
  const stream = session.request({
    ':method': 'POST',
    ':path': PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  const read = (headers: { readonly [name: string]: unknown }): void => {
    status = headers['grpc-status'] ?? status
  }
  stream.on('response', read)
  stream.on('trailers', read)
  stream.on('error', (error) => failures.push(error.message))
  stream.on('close', () => {
    inFlight--
    answered++
    if (status === '0') acknowledged += spans
    else failures.push(`grpc-status ${String(status)}`)
    // A refusing engine would otherwise be asked again at once, for ever.
    if (running && failures.length < 100) send(session, body, spans)
    else if (inFlight === 0) idle?.()
  })
  stream.resume()
  stream.end(body)
}

/** Counters and the engine's CPU are read in one go, so that both ends of the window are exact. */
function sample(pid: number): Window {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  return { ms: performance.now(), cpuMicros: (ticks * 1e6) / TICKS_PER_SECOND, items: delivered, requests: answered }
}

/** By the engine's own CPU time, so that it is as warm on a busy machine as on an idle one. */
async function warm({ pid, cpuMs, atMostMs }: Extract<Command, { do: 'warm' }>): Promise<void> {
  const from = sample(pid)
  for (
    let now = from;
    now.cpuMicros - from.cpuMicros < cpuMs * 1000 && now.ms - from.ms < atMostMs;
    now = sample(pid)
  ) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function measure(pid: number, ms: number): Promise<Window> {
  const from = sample(pid)
  await new Promise((resolve) => setTimeout(resolve, ms))
  const to = sample(pid)
  return {
    ms: to.ms - from.ms,
    cpuMicros: to.cpuMicros - from.cpuMicros,
    items: to.items - from.items,
    requests: to.requests - from.requests,
  }
}

async function drain(): Promise<Totals> {
  running = false
  const drained = new Promise<void>((resolve) => {
    idle = resolve
    if (inFlight === 0) resolve()
  })
  await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, 10_000))])
  for (const session of sessions) session.destroy()
  return { sent, acknowledged, delivered, failures: [...new Set(failures)] }
}

async function obey(command: Command): Promise<Reply> {
  switch (command.do) {
    case 'listen':
      return { port: await listen() }
    case 'start':
      await start(command.port, command.load)
      return { done: true }
    case 'warm':
      await warm(command)
      return { done: true }
    case 'measure':
      return measure(command.pid, command.ms)
    case 'drain':
      return drain()
  }
}

process.on('message', (command: Command) => void obey(command).then((reply) => process.send?.(reply)))
process.on('disconnect', () => process.exit())
