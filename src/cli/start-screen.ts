import type { ResolvedConfig } from '../config/resolved.ts'
import type { Listening } from '../lanes/protocol.ts'

/** What a start prints for people: version, how many lanes, the pipelines as a drawing, where it listens. One screen at most. */
export function startScreen(
  version: string,
  config: ResolvedConfig,
  listening: readonly Listening[],
  { lanes, rows }: { readonly lanes: number; readonly rows: number },
): string {
  const { pipelines } = config.service
  const width = Math.max(...pipelines.map(({ id }) => id.length))
  const drawn = pipelines.map(({ id, receivers, processors, exporters }) => {
    const stages = [receivers.join(', '), ...processors, exporters.join(', ')]
    return `  ${id.padEnd(width)}  ${stages.join(' → ')}`
  })
  const listeners = listening.map(({ component, transport, address }) => `  ${component}  ${transport}  ${address}`)
  const head = `Sluice ${version} on Node ${process.versions.node}, ${lanes} ${lanes === 1 ? 'lane' : 'lanes'}`
  return [
    head,
    ...shorten(drawn, rows - listeners.length - 5, 'pipelines'),
    ...(listeners.length > 0 ? ['listening'] : []),
    ...shorten(listeners, rows - 5, 'listeners'),
    'Ctrl-C stops and drains; a second one stops at once.',
  ].join('\n')
}

function shorten(lines: string[], room: number, what: string): string[] {
  if (lines.length <= Math.max(room, 4)) return lines
  const shown = lines.slice(0, Math.max(room, 4) - 1)
  return [...shown, `  … and ${lines.length - shown.length} more ${what}`]
}
