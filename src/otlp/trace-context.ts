/** Where a span stands in its trace. Plain data: it travels with a batch. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits. */
  readonly spanId: string
  /** What tells the next hop: `traceparent`, … */
  readonly headers: Readonly<Record<string, string>>
}
