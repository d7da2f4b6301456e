import type { ComponentHealth, Host } from '../../src/component/host.ts'
import type { ResolvedPipeline } from '../../src/config/resolved.ts'
import { type LedgerRow, ledgerRows, total } from '../../src/telemetry/ledger.ts'
import type { Reading } from '../../src/telemetry/registry.ts'
import type { Page } from '../../src/transport/page-server.ts'
import { healthCell } from './health-cell.ts'
import { type Html, html, page, table } from './html.ts'
import { type RateBook, type Rates, seriesKey } from './rates.ts'

/** `/debug/pipelinez`: what flows where, how fast, and what became of it; one component's figures where the query names it. */
export function pipelinePage(host: Host, rates: RateBook, query: URLSearchParams): Page {
  const readings = host.readings()
  const kind = query.get('zcomponentkind')
  const name = query.get('zcomponentname')
  if (kind !== null && name !== null) return componentPage(kind, name, readings, rates, host.health())
  const rows = new Map(ledgerRows(readings).map((row) => [row.pipeline, row]))
  const rateOf = rates.now()
  const overview = host.config.service.pipelines.map((pipeline) => {
    const row = rows.get(pipeline.id)
    const rate = (which: string): Rates =>
      rateOf(seriesKey({ name: `sluice_ledger_${which}_items`, labels: { pipeline: pipeline.id } }))
    return [
      html`<a href="#${pipeline.id}">${pipeline.id}</a>`,
      rate('accepted').short,
      rate('accepted').long,
      rate('sent').short,
      row?.accepted ?? 0,
      row?.sent ?? 0,
      row === undefined ? 0 : total(row.dropped) + total(row.folded),
      row === undefined ? 0 : total(row.failed),
      row?.held ?? 0,
    ]
  })
  const head = [
    'pipeline',
    'in /s (10 s)',
    'in /s (1 min)',
    'out /s (10 s)',
    'accepted',
    'sent',
    'dropped, folded',
    'failed',
    'held',
  ]
  const details = host.config.service.pipelines.map((pipeline) => detailsOf(pipeline, rows.get(pipeline.id), host))
  return page('Pipelines', html`${table(head, overview)}${details}`)
}

function detailsOf(pipeline: ResolvedPipeline, row: LedgerRow | undefined, host: Host): Html {
  const healths = host.health()
  const { connectors } = host.config
  const line = (kind: string, id: string): (Html | string)[] => {
    const health = healths.find(
      (each) => each.kind === kind && each.id === id && (kind !== 'processor' || each.pipeline === pipeline.id),
    )
    const query = new URLSearchParams({ zpipelinename: pipeline.id, zcomponentkind: kind, zcomponentname: id })
    return [kind, html`<a href="?${query.toString()}">${id}</a>`, healthCell(health)]
  }
  const rows = [
    ...pipeline.receivers.map((id) => line(id in connectors ? 'connector' : 'receiver', id)),
    ...pipeline.processors.map((id) => line('processor', id)),
    ...pipeline.exporters.map((id) => line(id in connectors ? 'connector' : 'exporter', id)),
  ]
  return html`<h2 id="${pipeline.id}">${pipeline.id}</h2>
${table(['kind', 'component', 'health'], rows)}
${row && ends(row)}`
}

/** Why items ended otherwise than sent. */
function ends({ dropped, failed, folded }: LedgerRow): Html | undefined {
  const rows = [
    ...Object.entries(failed).map(([why, items]) => [html`<span class="bad">failed</span>`, why, items]),
    ...Object.entries(dropped).map(([why, items]) => ['dropped', why, items]),
    ...Object.entries(folded).map(([why, items]) => ['folded', why, items]),
  ]
  return rows.length === 0 ? undefined : html`<p></p>${table(['ended', 'why', 'items'], rows)}`
}

function componentPage(
  kind: string,
  id: string,
  readings: readonly Reading[],
  rates: RateBook,
  healths: readonly ComponentHealth[],
): Page {
  const rateOf = rates.now()
  const own = readings.filter(({ labels }) => labels[kind] === id || labels['component'] === `${kind} ${id}`)
  const rows = own.map((reading) => {
    const labels = Object.entries(reading.labels).filter(([key]) => key !== kind && key !== 'component')
    const named = labels.map(([key, value]) => `${key}=${value}`).join(' ')
    if (reading.kind === 'histogram') {
      const { count, sum } = reading.value
      return [reading.name, named, count, '', `mean ${(count === 0 ? 0 : sum / count).toPrecision(3)} ${reading.unit}`]
    }
    const rate = reading.kind === 'counter' ? rateOf(seriesKey(reading)).short : ''
    return [reading.name, named, reading.value, rate, reading.description]
  })
  const states = healths.filter((each) => each.kind === kind && each.id === id)
  return page(
    `${kind} ${id}`,
    html`<p>${states.map((health) => html`${healthCell(health)} `)}</p>
${table(['metric', 'labels', 'value', '/s (10 s)', 'what'], rows)}
<p><a href="/debug/pipelinez">all pipelines</a></p>`,
  )
}
