import type { ComponentContext } from '../component/contracts.ts'
import { SPAN_KIND } from '../telemetry/tracer.ts'
import type { Send } from './send.ts'

/** `send` with a span around each attempt of a sampled batch, which the peer is told of. */
export function tracedSend({ tracer, id }: ComponentContext, send: Send): Send {
  return (batch, options) => {
    const { trace } = batch.context
    const span = tracer.start(`exporter/${id}/${batch.signal}`, SPAN_KIND.CLIENT, trace)
    if (span === undefined) return send(batch, options)
    span.set('exporter', id)
    span.set('data_type', batch.signal)
    const traced = { ...batch, context: { ...batch.context, trace: span.context } }
    return send(traced, options).then(
      (result) => {
        const failed = result.ok ? (result.rejected ?? 0) : batch.items
        span.set('items.sent', batch.items - failed)
        span.set('items.failed', failed)
        span.end(result.ok ? undefined : result.message)
        return result
      },
      (error: unknown) => {
        span.end(error instanceof Error ? error.message : String(error))
        throw error
      },
    )
  }
}
