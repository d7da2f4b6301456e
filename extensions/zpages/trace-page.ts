import type { Host } from '../../src/component/host.ts'
import { LATENCY_BOUNDS_MS, type SpanSummary } from '../../src/telemetry/span-book.ts'
import type { FinishedSpan } from '../../src/telemetry/tracer.ts'
import type { Page } from '../../src/transport/page-server.ts'
import { type Html, html, page, table } from './html.ts'

/** The numbers that Go's zPages give to `ztype`: spans by latency, spans with errors. */
const BY_LATENCY = '1'
const WITH_ERROR = '2'

/** `/debug/tracez`: sampled spans of the engine's own work by name and latency; single ones where the query says which. */
export function tracePage(host: Host, query: URLSearchParams): Page {
  const spans = host.spans()
  const name = query.get('zspanname')
  const overview = table(
    ['span', ...LATENCY_BOUNDS_MS.map((_, i) => range(i)), range(LATENCY_BOUNDS_MS.length), 'errors'],
    rows(spans),
  )
  if (name === null) return page('Traces', html`${HINT}${overview}`)
  const found = spans.find((each) => each.name === name)
  const errors = query.get('ztype') === WITH_ERROR
  const bucket = Number(query.get('zlatencybucket') ?? 0)
  const samples = (errors ? found?.errorSamples : found?.samples[bucket]) ?? []
  return page(
    'Traces',
    html`${HINT}${overview}<h2>${name}, ${errors ? 'with an error' : range(bucket)}</h2>${samples.map(one)}
${samples.length === 0 ? html`<p class="none">none</p>` : ''}`,
  )
}

const HINT = html`<p>Sampled requests only; which, <code>service.telemetry.traces.sampler</code> says.</p>`

function rows(spans: readonly SpanSummary[]): Html[][] {
  return spans.map(({ name, counts, errors }) => {
    const link = (count: number, more: Record<string, string>): Html => {
      if (count === 0) return html`<span class="none">0</span>`
      return html`<a href="?${new URLSearchParams({ zspanname: name, ...more }).toString()}">${count}</a>`
    }
    const latencies = counts.map((count, i) => link(count, { ztype: BY_LATENCY, zlatencybucket: String(i) }))
    return [html`${name}`, ...latencies, link(errors, { ztype: WITH_ERROR })]
  })
}

/** A bucket of latency in words. */
function range(bucket: number): string {
  const above = LATENCY_BOUNDS_MS[bucket - 1]
  return above === undefined ? `< ${duration(LATENCY_BOUNDS_MS[0]!)}` : `≥ ${duration(above)}`
}

function duration(ms: number): string {
  if (ms >= 1000) return `${ms / 1000} s`
  return ms >= 1 ? `${ms} ms` : `${ms * 1000} µs`
}

function one({ traceId, spanId, parentSpanId, startMs, durationMs, attributes, error }: FinishedSpan): Html {
  const facts = [
    ['trace', traceId],
    ['span', parentSpanId === undefined ? spanId : `${spanId} below ${parentSpanId}`],
    ['began', new Date(startMs).toISOString()],
    ['took', `${durationMs.toFixed(3)} ms`],
    ...(error === undefined ? [] : [['error', html`<span class="bad">${error}</span>`]]),
    ...Object.entries(attributes).map(([key, value]) => [key, String(value)]),
  ]
  return html`<p></p>${table(['', ''], facts)}`
}
