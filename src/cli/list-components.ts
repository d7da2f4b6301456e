import { registryOf } from '../component/registry.ts'
import builtIn from './components.ts'
import { layout } from './layout.ts'

/** What `sluice components` prints: a table for people, or JSON of the same rows. */
export function components(json: boolean): string {
  const rows = registryOf(builtIn)
    .definitions.map(({ kind, type, aliases = [], signals, stability, summary }) => ({
      kind,
      type,
      aliases,
      signals,
      stability,
      summary,
    }))
    .sort((a, b) => compare(a.kind, b.kind) || compare(a.type, b.type))
  if (json)
    return `${JSON.stringify(
      rows.map(({ summary: _, ...row }) => row),
      null,
      2,
    )}\n`
  const table = rows.map(({ kind, type, aliases, signals, stability, summary }) => [
    kind,
    aliases.length > 0 ? `${type} (${aliases.join(', ')})` : type,
    kind === 'extension' ? '-' : signals.join(' '),
    stability,
    summary,
  ])
  return layout([['KIND', 'TYPE', 'SIGNALS', 'STABILITY', 'SUMMARY'], ...table])
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
