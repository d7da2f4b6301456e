import { randomBytes } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { TracesConfig } from '../config/telemetry-fields.ts'
import { SharedPiece } from '../memory/shared-board.ts'
import type { TraceContext } from '../otlp/trace-context.ts'
import { extract, inject, type Propagator } from './propagation.ts'
import { type Sampler, sampler, traceIdFits } from './trace-sampler.ts'
import {
  type FinishedSpan,
  type Headed,
  NO_TRACER,
  SPAN_KIND,
  type Span,
  type SpanKind,
  type Tracer,
} from './tracer.ts'

/** `finished` gets every span as it ends; `shared` is what the tracers of all lanes share. */
export function requestTracer(
  config: TracesConfig,
  clock: Clock,
  finished: (span: FinishedSpan) => void,
  shared = SharedPiece.alone(),
): Tracer {
  return config.level === 'none' ? NO_TRACER : new RequestTracer(config, clock, finished, shared.cells)
}

/** Cells of what is shared. */
const REQUESTS = 1
const ROOTS = 2

interface Limits {
  readonly attributes: number
  readonly characters: number
}

class RequestTracer implements Tracer {
  readonly #clock: Clock
  readonly #finished: (span: FinishedSpan) => void
  readonly #propagators: readonly Propagator[]
  readonly #requests: Sampler
  /** For work that no request's span stands above: behind a batch processor. */
  readonly #roots: Sampler
  readonly #limits: Limits

  constructor(
    { propagators, sampler: config, limits }: TracesConfig,
    clock: Clock,
    finished: (span: FinishedSpan) => void,
    shared: Int32Array,
  ) {
    this.#clock = clock
    this.#finished = finished
    this.#propagators = propagators.includes('none') ? [] : propagators
    this.#requests = sampler(config, clock, shared.subarray(REQUESTS))
    this.#roots = sampler(config, clock, shared.subarray(ROOTS))
    this.#limits = {
      attributes: limits?.attribute_count_limit ?? 128,
      characters: limits?.attribute_value_length_limit ?? Number.POSITIVE_INFINITY,
    }
  }

  request(name: string, head: Headed): Span | undefined {
    if (!this.#requests.mayTake()) return undefined
    const parent = extract(this.#propagators, head)
    const ratio = this.#requests.share(parent)
    if (ratio === 0) return undefined
    if (parent === undefined) return this.#root(name, SPAN_KIND.SERVER, ratio)
    if (!traceIdFits(parent.traceId, ratio)) return undefined
    return this.#span(name, SPAN_KIND.SERVER, parent.traceId, parent.spanId)
  }

  start(name: string, kind: SpanKind, parent: TraceContext | undefined): Span | undefined {
    if (parent !== undefined) {
      const { below } = this.#requests
      if (below === 0 || !traceIdFits(parent.traceId, below)) return undefined
      return this.#span(name, kind, parent.traceId, parent.spanId)
    }
    if (!this.#roots.mayTake()) return undefined
    const ratio = this.#roots.share(undefined)
    return ratio === 0 ? undefined : this.#root(name, kind, ratio)
  }

  /** The die falls before there is a trace id, and the id is made to agree with it. */
  #root(name: string, kind: SpanKind, ratio: number): Span | undefined {
    if (ratio < 1 && Math.random() >= ratio) return undefined
    let traceId = randomBytes(16).toString('hex')
    while (!traceIdFits(traceId, ratio)) {
      // Halving the last 64 bits keeps them random below any bound.
      traceId = traceId.slice(0, 16) + (BigInt(`0x${traceId.slice(16)}`) >> 1n).toString(16).padStart(16, '0')
    }
    return this.#span(name, kind, traceId, undefined)
  }

  #span(name: string, kind: SpanKind, traceId: string, parentSpanId: string | undefined): Span {
    const spanId = randomBytes(8).toString('hex')
    const context = { traceId, spanId, headers: inject(this.#propagators, traceId, spanId) }
    return new RunningSpan(name, kind, context, parentSpanId, this.#clock, this.#limits, this.#finished)
  }
}

class RunningSpan implements Span {
  readonly context: TraceContext
  readonly #name: string
  readonly #kind: SpanKind
  readonly #parentSpanId: string | undefined
  readonly #clock: Clock
  readonly #limits: Limits
  readonly #finished: (span: FinishedSpan) => void
  readonly #startMs: number
  readonly #started: number
  readonly #attributes: Record<string, string | number | boolean> = {}
  #count = 0
  #ended = false

  constructor(
    name: string,
    kind: SpanKind,
    context: TraceContext,
    parentSpanId: string | undefined,
    clock: Clock,
    limits: Limits,
    finished: (span: FinishedSpan) => void,
  ) {
    this.context = context
    this.#name = name
    this.#kind = kind
    this.#parentSpanId = parentSpanId
    this.#clock = clock
    this.#limits = limits
    this.#finished = finished
    this.#startMs = clock.now()
    this.#started = clock.monotonic()
  }

  set(key: string, value: string | number | boolean): void {
    if (!(key in this.#attributes) && ++this.#count > this.#limits.attributes) return
    this.#attributes[key] = typeof value === 'string' ? value.slice(0, this.#limits.characters) : value
  }

  end(error?: string): void {
    if (this.#ended) return
    this.#ended = true
    const { traceId, spanId } = this.context
    this.#finished({
      name: this.#name,
      kind: this.#kind,
      traceId,
      spanId,
      ...(this.#parentSpanId !== undefined && { parentSpanId: this.#parentSpanId }),
      startMs: this.#startMs,
      durationMs: this.#clock.monotonic() - this.#started,
      attributes: this.#attributes,
      droppedAttributes: Math.max(0, this.#count - this.#limits.attributes),
      ...(error !== undefined && { error }),
    })
  }
}
