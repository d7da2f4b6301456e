import type { Headed } from './tracer.ts'

/** The caller's span, as its headers tell. */
export interface RemoteParent {
  readonly traceId: string
  readonly spanId: string
  readonly sampled: boolean
}

export type Propagator = 'tracecontext' | 'b3' | 'none'

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/
const B3_SINGLE = /^([0-9a-f]{16}|[0-9a-f]{32})-([0-9a-f]{16})(?:-([01d]))?/i
const ZEROES = /^0+$/

/** Reads the caller's span: the first of the formats that is there and sound. */
export function extract(propagators: readonly Propagator[], head: Headed): RemoteParent | undefined {
  for (const propagator of propagators) {
    const parent =
      propagator === 'tracecontext'
        ? fromTraceparent(head.header('traceparent'))
        : propagator === 'b3'
          ? fromB3(head)
          : undefined
    if (parent !== undefined) return parent
  }
  return undefined
}

/** W3C Trace Context, section 3.2. */
function fromTraceparent(value: string | undefined): RemoteParent | undefined {
  const found = value === undefined ? null : TRACEPARENT.exec(value.trim())
  if (found === null) return undefined
  return parentOf(found[1]!, found[2]!, (Number.parseInt(found[3]!, 16) & 1) === 1)
}

/** B3: the single header, else the several. */
function fromB3(head: Headed): RemoteParent | undefined {
  const single = head.header('b3')
  if (single !== undefined) {
    const found = B3_SINGLE.exec(single.trim())
    return found === null ? undefined : parentOf(found[1]!, found[2]!, found[3] !== '0')
  }
  const traceId = head.header('x-b3-traceid')
  const spanId = head.header('x-b3-spanid')
  if (traceId === undefined || spanId === undefined) return undefined
  if (!/^([0-9a-f]{16}|[0-9a-f]{32})$/i.test(traceId) || !/^[0-9a-f]{16}$/i.test(spanId)) return undefined
  return parentOf(traceId, spanId, head.header('x-b3-sampled') !== '0' || head.header('x-b3-flags') === '1')
}

function parentOf(traceId: string, spanId: string, sampled: boolean): RemoteParent | undefined {
  if (ZEROES.test(traceId) || ZEROES.test(spanId)) return undefined
  return { traceId: traceId.toLowerCase().padStart(32, '0'), spanId: spanId.toLowerCase(), sampled }
}

/** The headers that tell the next hop of a span, which is sampled. */
export function inject(propagators: readonly Propagator[], traceId: string, spanId: string): Record<string, string> {
  const headers: Record<string, string> = {}
  if (propagators.includes('tracecontext')) headers['traceparent'] = `00-${traceId}-${spanId}-01`
  if (propagators.includes('b3')) headers['b3'] = `${traceId}-${spanId}-1`
  return headers
}
