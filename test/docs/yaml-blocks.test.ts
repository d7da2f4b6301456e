import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import builtIn from '../../src/cli/components.ts'
import { registryOf } from '../../src/component/registry.ts'
import { loadConfig } from '../../src/config/load.ts'
import { formatProblem } from '../../src/config/problem.ts'
import type { Registry } from '../../src/config/registry.ts'
import { KIND_OF } from '../../src/config/registry.ts'
import { SECTIONS } from '../../src/config/resolved.ts'
import type { Signal } from '../../src/otlp/batch.ts'
import { files, read, root } from '../support/tree.ts'

// A block that has a `service` is loaded as it stands. Others show some components: each is put into pipelines of every
// signal it takes, between nop and nop, so that its keys and values meet the real loader.

const registry: Registry = registryOf(builtIn)

const blocks = files('*.md', '*/**/*.md').flatMap((path) => {
  const text = read(path)
  return [...text.matchAll(/^```ya?ml\n([\s\S]*?)^```/gm)].map((match) => ({
    at: `${path}:${text.slice(0, match.index).split('\n').length}`,
    yaml: match[1]!,
  }))
})

type Section = Record<string, unknown>
type Document = Record<string, Section | null | undefined>

/** The signals that all named components take. */
function signalsOf(document: Document): Signal[] {
  const all: readonly Signal[] = ['traces', 'metrics', 'logs', 'profiles']
  return all.filter((signal) =>
    SECTIONS.filter((section) => section !== 'extensions').every((section) =>
      Object.keys(document[section] ?? {}).every(
        (id) => registry.find(KIND_OF[section], id.split('/')[0]!)?.signals.includes(signal) ?? true,
      ),
    ),
  )
}

function completed(document: Document): Document {
  const ids = (section: string): string[] => Object.keys(document[section] ?? {})
  const receivers = ids('receivers').length > 0 ? ids('receivers') : ['nop']
  const exporters = ids('exporters').length > 0 ? ids('exporters') : ['nop']
  const connectors = ids('connectors')
  const pipelines = signalsOf(document).flatMap((signal) => [
    [signal, { receivers, processors: ids('processors'), exporters: [...exporters, ...connectors] }],
    ...(connectors.length > 0 ? [[`${signal}/behind`, { receivers: connectors, exporters }]] : []),
  ])
  return {
    ...document,
    receivers: document['receivers'] ?? { nop: null },
    exporters: document['exporters'] ?? { nop: null },
    service: { extensions: ids('extensions'), pipelines: Object.fromEntries(pipelines) },
  }
}

describe('YAML in READMEs', () => {
  test.each(blocks)('$at loads', async ({ yaml }) => {
    const document = parse(yaml, { merge: true }) as Document
    const source = document['service'] === undefined ? stringify(completed(document)) : yaml
    const { problems } = await loadConfig({ config: [`yaml:${source}`], env: {}, cwd: root }, registry)
    expect(problems.map(formatProblem).join('\n'), source).toBe('')
  })

  test('the slip that the README shows is reported as it says', async () => {
    const readme = read('README.md')
    const [, yaml] = /^```yaml\n([\s\S]*?)^```/m.exec(readme)!
    const [, shown] = /^```text\n([\s\S]*?)^```/m.exec(readme)!
    const folder = mkdtempSync(join(tmpdir(), 'sluice-slip-'))
    writeFileSync(join(folder, 'my-pipeline.yaml'), yaml!.replace('  batch:', '  bacth:'))
    const { problems } = await loadConfig({ config: ['my-pipeline.yaml'], env: {}, cwd: folder }, registry)
    rmSync(folder, { recursive: true })
    expect(problems.map((problem) => `${formatProblem(problem)}\n`).join('')).toBe(shown)
  })

  test('there are some', () => {
    expect(blocks.length).toBeGreaterThan(0)
  })
})
