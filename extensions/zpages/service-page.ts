import type { Host } from '../../src/component/host.ts'
import { formatDuration } from '../../src/config/duration.ts'
import { FEATURE_GATES } from '../../src/config/feature-gates.ts'
import type { Page } from '../../src/transport/page-server.ts'
import { html, page, table } from './html.ts'

/** `/debug/servicez`: what runs, since when, as which configuration. */
export function servicePage(host: Host, now: number): Page {
  const build = [
    ['version', host.version],
    ['Node', process.versions.node],
    ['platform', `${process.platform}/${process.arch}`],
    ['process', String(process.pid)],
    ['started', new Date(host.startedAt).toISOString()],
    ['uptime', formatDuration(Math.round(Math.max(0, now - host.startedAt)))],
  ]
  const config = JSON.stringify(host.effectiveConfig(), undefined, 2)
  return page(
    'Service',
    html`${table(['', ''], build)}
<h2>Resource</h2>${table(['attribute', 'value'], Object.entries(host.resource))}
<h2>Configuration, defaults filled in, secrets left out</h2><pre>${config}</pre>`,
  )
}

/** `/debug/extensionz`: what runs beside the pipelines. */
export function extensionPage(host: Host): Page {
  const healths = host.health()
  const rows = host.config.service.extensions.map((id) => {
    const health = healths.find((each) => each.kind === 'extension' && each.id === id)
    return [id, health?.health ?? 'unknown', health?.message ?? '']
  })
  return page('Extensions', table(['extension', 'health', ''], rows))
}

/** `/debug/featurez`: feature gates of the Collector and whether they are on. */
export function featurePage(host: Host): Page {
  const on = new Set(host.config.service.featureGates)
  const rows = FEATURE_GATES.map(({ id, stage, description }) => [id, String(on.has(id)), stage, description])
  return page('Feature gates', table(['gate', 'on', 'stage', ''], rows))
}

/** `/debug/expvarz`: memory and command line, as Go's expvar has them. */
export function expvarPage(): Page {
  const { heapUsed, heapTotal, external, arrayBuffers, rss } = process.memoryUsage()
  const body = {
    cmdline: process.argv,
    memstats: { HeapAlloc: heapUsed, HeapSys: heapTotal, Sys: rss, external, arrayBuffers },
  }
  return { status: 200, type: 'application/json; charset=utf-8', body: JSON.stringify(body) }
}
