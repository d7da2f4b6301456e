import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import builtIn from '../src/cli/components.ts'
import type { Definition } from '../src/component/define.ts'
import { registryOf } from '../src/component/registry.ts'
import { referenceTable } from '../src/config/reference.ts'
import { generateSchemas } from '../src/config/schema.ts'
import { TELEMETRY } from '../src/config/telemetry-fields.ts'

import { type Instrument, instruments } from './instruments.ts'

const root = join(import.meta.dirname, '..')

/** A file of the tree that is generated, wholly or between marks, and the text it should have. */
export interface Generated {
  /** Below the repository, with forward slashes. */
  readonly path: string
  readonly text: string
  /** What the file says now; undefined where there is none. */
  readonly now: string | undefined
}

/** Everything that follows from definitions and code lists: schemas/, and the tables in READMEs. */
export async function generated(): Promise<Generated[]> {
  const registry = registryOf(builtIn)
  const { definitions } = registry
  const schemas = generateSchemas(registry)
  return [
    ...schemas.map(({ path, text }) => ({ path, text, now: readIfThere(path) })),
    ...definitions.map((definition) => {
      const readme = `${definition.kind}s/${definition.type}/README.md`
      return between(readme, 'reference', `## Reference\n\n${referenceTable(definition)}`)
    }),
    between('README.md', 'components', componentTable(definitions)),
    between('src/README.md', 'error-codes', codeTable(await errorCodes())),
    between('src/telemetry/README.md', 'reference', telemetryReference(await instruments())),
  ]
}

/** All error codes with their meaning, from the `codes.ts` beside the code that uses them, sorted. */
export async function errorCodes(): Promise<[code: string, meaning: string][]> {
  const lists = globSync(['src/**/codes.ts', '{receivers,processors,exporters,connectors,extensions}/**/codes.ts'], {
    cwd: root,
  })
  const modules = await Promise.all(
    lists.map(
      (path) => import(pathToFileURL(join(root, path)).href) as Promise<Record<string, Record<string, string>>>,
    ),
  )
  return modules
    .flatMap((module) => Object.values(module).flatMap((codes) => Object.entries(codes)))
    .sort(([a], [b]) => (a < b ? -1 : 1))
}

function telemetryReference(all: readonly Instrument[]): string {
  return `## Options

Below \`service.telemetry\`.

${referenceTable({ config: TELEMETRY })}

## Instruments

Names as OTLP carries them. On a pull endpoint dots are underscores, histograms end in \`_bucket\`, \`_sum\` and \`_count\`, and units
and \`_total\` appear where a reader asks for them.

A series that several lanes have is told once: counters, histograms and amounts add up, and a lane that has ended leaves what it counted and
takes its amounts along. A gauge that is the same in every lane, or that one of them decides, is the *least* or the *most* of
theirs. What is told of a thread has the thread's name as an attribute.

${instrumentTable(all)}`
}

const KINDS: Readonly<Record<Instrument['kind'], string>> = {
  counter: 'counter',
  updown: 'up-down counter',
  gauge: 'gauge',
  histogram: 'histogram',
}

function instrumentTable(all: readonly Instrument[]): string {
  return table(
    ['name', 'kind', 'unit', 'from level', 'attributes', ''],
    all.map(({ name, kind, unit, level, across, labels, description }) => [
      `\`${name}\``,
      across === undefined ? KINDS[kind] : `${KINDS[kind]} (${across})`,
      unit,
      level === 'none' ? 'basic' : level,
      labels.map((label) => `\`${label}\``).join(' '),
      description,
    ]),
  )
}

function codeTable(codes: readonly (readonly [code: string, meaning: string])[]): string {
  return table(
    ['code', 'means'],
    codes.map(([code, meaning]) => [`\`${code}\``, meaning]),
  )
}

function componentTable(definitions: readonly Definition[]): string {
  return table(
    ['kind', 'type', 'signals', 'does'],
    definitions.map(({ kind, type, aliases = [], signals, summary }) => {
      const also = aliases.length === 0 ? '' : ` (also ${aliases.map((alias) => `\`${alias}\``).join(', ')})`
      return [kind, `[${type}](${kind}s/${type}/README.md)${also}`, signals.join(', '), summary]
    }),
  )
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

/** The file with `text` between its `<!-- mark -->` and `<!-- /mark -->`. Throws where the marks are missing. */
function between(path: string, mark: string, text: string): Generated {
  const now = readIfThere(path)
  const [open, close] = [`<!-- ${mark} -->\n`, `<!-- /${mark} -->`]
  const start = now?.indexOf(open) ?? -1
  const end = now?.indexOf(close, start) ?? -1
  if (now === undefined || start < 0 || end < 0) {
    throw new Error(`${path}: expected the lines "${open.trim()}" and "${close}" around what is generated`)
  }
  return { path, now, text: `${now.slice(0, start + open.length)}\n${text.trim()}\n\n${now.slice(end)}` }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
