import { authoriserOf } from '../../src/component/authorise.ts'
import type { Component, ComponentContext, Deadline, Outputs } from '../../src/component/contracts.ts'
import { type DeliveryEvents, deliver, type Failure, type Outcome, type Waiting } from '../../src/component/delivery.ts'
import { corsWarnings } from '../../src/config/cors-fields.ts'
import { type BatchContext, makeBatch, type Signal } from '../../src/otlp/batch.ts'
import { validate } from '../../src/otlp/validate.ts'
import { WireError } from '../../src/otlp/wire-error.ts'
import { observedCalls } from '../../src/telemetry/call-metrics.ts'
import { ITEM_NAMES } from '../../src/telemetry/ledger.ts'
import type { Span } from '../../src/telemetry/tracer.ts'
import { encodeExportResponse } from '../../src/transport/export-response.ts'
import { HTTP_PATHS } from '../../src/transport/otlp-services.ts'
import type { Reservation } from '../../src/transport/reservation.ts'
import {
  type CallStatus,
  type Entrance,
  GRPC,
  type Server,
  type ServerCall,
  type ServerHandler,
} from '../../src/transport/unary.ts'
import { Arrivals } from './arrivals.ts'
import { callStatus } from './call-status.ts'
import type { Config, GrpcConfig, HttpConfig } from './fields.ts'
import { type ReceiverMetrics, receiverMetrics } from './metrics.ts'
import { pathsOf } from './paths.ts'
import { startGrpc, startHttp } from './servers.ts'

/** Serves the protocols that are configured and turns each request into one delivery. */
export class OtlpReceiver implements Component {
  readonly #config: Config
  readonly #ctx: ComponentContext
  readonly #next: Outputs
  readonly #arrivals = new Map<Signal, Arrivals>()
  /** The last refusal, whose words serve many clients in a row. */
  #said: { readonly failure: Failure; readonly status: CallStatus } | undefined
  #servers: Server[] = []
  #stopped: Promise<void> | undefined

  constructor(config: Config, ctx: ComponentContext, next: Outputs) {
    this.#config = config
    this.#ctx = ctx
    this.#next = next
    for (const signal of ctx.signals) this.#arrivals.set(signal, new Arrivals(signal, ctx.clock))
  }

  async start(): Promise<void> {
    const { grpc, http } = this.#config.protocols
    const { signals } = this.#ctx
    try {
      if (grpc !== undefined) {
        this.#serves('grpc', await startGrpc(grpc, signals, this.#ctx, this.#handler('grpc', grpc)))
      }
      if (http !== undefined) {
        for (const warning of corsWarnings(http.cors, 'protocols.http.cors')) this.#ctx.log.warn(warning)
        this.#serves('http', await startHttp(http, signals, this.#ctx, this.#handler('http', http)))
      }
    } catch (error) {
      await this.#close(AbortSignal.abort())
      throw error
    }
  }

  stop(deadline: Deadline): Promise<void> {
    this.#stopped ??= this.#close(deadline.signal)
    return this.#stopped
  }

  #serves(transport: string, server: Server): void {
    this.#servers.push(server)
    this.#ctx.listening({ transport, address: server.address })
  }

  async #close(signal: AbortSignal): Promise<void> {
    const servers = this.#servers
    this.#servers = []
    await Promise.all(servers.map((server) => server.close(signal)))
  }

  /** Back-pressure at the headers: what would be refused unread is, with the same words. */
  #enter(signal: Signal, length: number | undefined): CallStatus | Entrance | undefined {
    const output = this.#next[signal]
    if (output?.refusing === undefined) return undefined
    const arrivals = this.#arrivals.get(signal)!
    const refusing = output.refusing(arrivals.ask(length))
    if (refusing === undefined) return arrivals.enter()
    refusing.told()
    this.#ctx.admission.pressed()
    if (this.#said?.failure !== refusing.failure) {
      const { failure } = refusing
      this.#said = { failure, status: { ...callStatus(failure), reason: failure.reason } }
    }
    return this.#said.status
  }

  #handler(transport: 'grpc' | 'http', config: GrpcConfig | HttpConfig): ServerHandler {
    const { clock, id, meter, signals, tracer } = this.#ctx
    const spanNames = spanNamesOf(id)
    const observed = observedCalls(meter, transport, 'traces_url_path' in config ? pathsOf(config) : HTTP_PATHS)
    const metrics = receiverMetrics(meter, id, transport, signals)
    const acknowledge = this.#config.acknowledge
    const next = this.#next
    const authorise = authoriserOf(config, this.#ctx, `protocols.${transport}.`)
    const includeMetadata = config.include_metadata
    return {
      ...(authorise && { authorise }),
      enter: ({ signal }, length) => this.#enter(signal, length),
      refused: ({ signal }, reason) => metrics[signal]?.refused(reason),
      malformed: ({ signal }) => metrics[signal]?.malformed.add(1),
      handle(incoming) {
        const call = observed === undefined ? incoming : observed(incoming)
        const { signal, peer } = call.head
        const counts = metrics[signal]
        const output = next[signal]
        if (counts === undefined || output === undefined) {
          call.reservation.release()
          call.fail({ code: GRPC.UNIMPLEMENTED, message: `no pipeline takes ${signal} from this receiver` })
          return
        }
        const items = itemsOf(call, signal)
        if (items === undefined) {
          call.reservation.release()
          counts.malformed.add(1)
        } else if (items === 0) {
          call.reservation.release()
          // An empty envelope is a client's way to ask whether anybody is there; it never enters a pipeline.
          call.ok()
        } else {
          const { auth } = call.head
          const metadata = includeMetadata ? call.head.metadata() : undefined
          const refusal = metadata && call.reservation.grow(bytesOf(metadata))
          if (refusal !== undefined) {
            call.reservation.release()
            counts.refused(refusal.reason)
            call.fail(refusal)
            return
          }
          const span = tracer.request(spanNames[signal], call.head)
          span?.set('transport', transport)
          const context: BatchContext =
            metadata !== undefined || auth !== undefined || span !== undefined
              ? {
                  transport,
                  peer,
                  arrivedAt: clock.now(),
                  ...(metadata && { metadata }),
                  ...(auth && { auth }),
                  ...(span && { trace: span.context }),
                }
              : { transport, peer, arrivedAt: clock.now() }
          const batch = makeBatch(signal, [call.body], items, context)
          output.consume(deliver(batch, new Reception(call, counts, acknowledge, span && { span, signal, items })))
        }
      },
    }
  }
}

/** A sampled call, until it is answered. */
interface TracedCall {
  readonly span: Span
  readonly signal: Signal
  readonly items: number
}

/** As the Collector's receivers call them. */
function spanNamesOf(id: string): Readonly<Record<Signal, string>> {
  return {
    traces: `receiver/${id}/TraceDataReceived`,
    metrics: `receiver/${id}/MetricsReceived`,
    logs: `receiver/${id}/LogsReceived`,
    profiles: `receiver/${id}/ProfilesReceived`,
  }
}

/** About what metadata takes in memory: it is held as long as the body, and headers may be larger than that. */
function bytesOf(metadata: NonNullable<BatchContext['metadata']>): number {
  let bytes = 0
  for (const name in metadata) {
    bytes += HEADER_BYTES + name.length
    for (const value of metadata[name]!) bytes += value.length
  }
  return bytes
}

/** Of the objects that hold one. */
const HEADER_BYTES = 64

/** The items in a call's body; a malformed one is answered, and undefined. */
function itemsOf(call: ServerCall, signal: Signal): number | undefined {
  try {
    return validate(signal, call.body)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    call.fail({ code: GRPC.INVALID_ARGUMENT, message: error.message })
    return undefined
  }
}

/**
 * Answers one call by what becomes of its delivery. A client that has gone changes nothing for data that a queue has
 * taken; else no further attempt is made for it.
 */
class Reception implements DeliveryEvents, Waiting {
  /** Undefined once answered: a delivery may wait in a queue for long, and its call holds a stream and its headers. */
  #call: ServerCall | undefined
  readonly #reservation: Reservation
  readonly #counts: ReceiverMetrics
  readonly #acknowledge: Config['acknowledge']
  #whenGone: (() => void)[] | undefined
  #traced: TracedCall | undefined

  constructor(
    call: ServerCall,
    counts: ReceiverMetrics,
    acknowledge: Config['acknowledge'],
    traced: TracedCall | undefined,
  ) {
    this.#traced = traced
    this.#call = call
    this.#reservation = call.reservation
    this.#counts = counts
    this.#acknowledge = acknowledge
  }

  get waiting(): Waiting {
    return this
  }

  get awaited(): boolean {
    return this.#call !== undefined && !this.#call.gone
  }

  get abandoned(): boolean {
    return this.#call?.gone ?? false
  }

  get deadline(): number {
    return this.#call?.deadline ?? Number.POSITIVE_INFINITY
  }

  onAbandoned(callback: () => void): void {
    if (this.#call === undefined) return
    this.#whenGone ??= this.#listen(this.#call)
    if (this.#call.gone) callback()
    else this.#whenGone.push(callback)
  }

  /** A call calls back one, and a batch that goes several ways has several who ask. */
  #listen(call: ServerCall): (() => void)[] {
    const callbacks: (() => void)[] = []
    call.onGone(() => {
      for (const callback of callbacks.splice(0)) callback()
    })
    return callbacks
  }

  admitted(): void {
    if (this.#acknowledge !== 'admitted') return
    this.#endSpan()
    this.#take()?.ok()
  }

  refused(failure: Failure): void {
    this.#endSpan(failure)
    const call = this.#take()
    if (call !== undefined) this.#fail(call, failure)
  }

  settled(outcome: Outcome): void {
    this.#reservation.release()
    this.#endSpan(outcome.ok ? undefined : outcome.failure)
    const call = this.#take()
    if (call === undefined) return
    if (!outcome.ok) this.#fail(call, outcome.failure)
    else if (outcome.rejected === 0) call.ok()
    else call.ok(encodeExportResponse({ rejected: outcome.rejected, message: outcome.message ?? '' }))
  }

  /** With the answer: what a queue does afterwards has spans of its own. */
  #endSpan(failure?: Failure): void {
    if (this.#traced === undefined) return
    const { span, signal, items } = this.#traced
    this.#traced = undefined
    span.set('format', 'protobuf')
    span.set(`accepted_${ITEM_NAMES[signal]}`, failure === undefined ? items : 0)
    span.set(`refused_${ITEM_NAMES[signal]}`, failure === undefined ? 0 : items)
    span.end(failure?.message)
  }

  #fail(call: ServerCall, failure: Failure): void {
    this.#counts.refused(failure.reason)
    call.fail(callStatus(failure))
  }

  /** The call, the first time. */
  #take(): ServerCall | undefined {
    const call = this.#call
    this.#call = undefined
    if (call?.gone) this.#counts.clientGone.add(1)
    return call
  }
}
