/** What became of a request. */
export interface Answer {
  readonly kind: 'acknowledged' | 'refused' | 'timed out' | 'failed'
  /** The refusal said when to come again (RetryInfo, Retry-After). */
  readonly withDelay: boolean
  /** Of what failed. */
  readonly text: string
}

const answer = (kind: Answer['kind'], withDelay = false, text = ''): Answer => ({ kind, withDelay, text })

export const ACKNOWLEDGED = answer('acknowledged')
export const TIMED_OUT = answer('timed out')
const REFUSED = answer('refused')
const REFUSED_WITH_DELAY = answer('refused', true)

const CANCELLED = '1'
const UNAVAILABLE = '14'
const DEADLINE_EXCEEDED = '4'
const RESOURCE_EXHAUSTED = '8'
const RETRYABLE_HTTP = new Set([429, 502, 503, 504])

/** By OTLP's table of retryable codes: RESOURCE_EXHAUSTED is one only with a RetryInfo. */
export function ofGrpc(status: string | undefined, message: string, withDelay: boolean): Answer {
  if (status === '0') return ACKNOWLEDGED
  if (status === UNAVAILABLE || (status === RESOURCE_EXHAUSTED && withDelay)) {
    return withDelay ? REFUSED_WITH_DELAY : REFUSED
  }
  if (status === DEADLINE_EXCEEDED || status === CANCELLED) return TIMED_OUT
  return answer('failed', false, `grpc-status ${status ?? 'missing'} ${message}`)
}

export function ofHttp(status: number, withDelay: boolean): Answer {
  if (status === 200) return ACKNOWLEDGED
  if (RETRYABLE_HTTP.has(status)) return withDelay ? REFUSED_WITH_DELAY : REFUSED
  return answer('failed', false, `status ${status}`)
}

export const broken = (text: string): Answer => answer('failed', false, text)
/** The peer did not look at the request (REFUSED_STREAM, a connection on its way out). */
export const UNSEEN = REFUSED
