import type { TraceContext } from '../otlp/trace-context.ts'

/** OTLP's numbers. */
export const SPAN_KIND = { INTERNAL: 1, SERVER: 2, CLIENT: 3 } as const
export type SpanKind = (typeof SPAN_KIND)[keyof typeof SPAN_KIND]

/** A span under way. */
export interface Span {
  readonly context: TraceContext
  set(key: string, value: string | number | boolean): void
  /** Once; `error` says what went wrong, where something did. */
  end(error?: string): void
}

/** Whatever has headers. */
export interface Headed {
  /** One header by its lower-case name. */
  header(name: string): string | undefined
}

/**
 * Makes spans of the engine's own work, for the few requests that are sampled. For all others every call here is a
 * comparison or two and gives undefined, before anything is allocated.
 */
export interface Tracer {
  /** A span of a request that came in. */
  request(name: string, head: Headed): Span | undefined
  /** A span below `parent`, or of a trace of its own where there is none. */
  start(name: string, kind: SpanKind, parent: TraceContext | undefined): Span | undefined
}

/** Samples nothing. */
export const NO_TRACER: Tracer = { request: () => undefined, start: () => undefined }

/** A span that ended. Plain data: lanes post it to the supervisor. */
export interface FinishedSpan {
  readonly name: string
  readonly kind: SpanKind
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  /** Milliseconds since the epoch, fractional. */
  readonly startMs: number
  readonly durationMs: number
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  readonly droppedAttributes: number
  readonly error?: string
}
