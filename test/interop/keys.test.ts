import { describe, expect, test } from 'vitest'
import exporters from '../../exporters/index.ts'
import extensions from '../../extensions/index.ts'
import processors from '../../processors/index.ts'
import receivers from '../../receivers/index.ts'
import type { Field, Fields } from '../../src/config/field.ts'
import { otelcol } from './peers/registry.ts'
import { collectorKeys } from './support/collector-keys.ts'
import { needs } from './support/peers.ts'

// Every option of a component of the Collector is an option here: it works, has no effect for a reason, or is refused by
// name. What this does not prove: that it works, or takes the same values. A module without a schema, such as that of
// health_check, is not asked.

const CORE = 'go.opentelemetry.io/collector'
const CONTRIB = 'github.com/open-telemetry/opentelemetry-collector-contrib'
const COMPONENTS: readonly (readonly [kind: string, type: string, module: string, leastKeys: number])[] = [
  ['receiver', 'otlp', `${CORE}/receiver/otlpreceiver`, 80],
  ['processor', 'batch', `${CORE}/processor/batchprocessor`, 5],
  ['processor', 'memory_limiter', `${CORE}/processor/memorylimiterprocessor`, 9],
  ['processor', 'attributes', `${CONTRIB}/processor/attributesprocessor`, 50],
  ['processor', 'resource', `${CONTRIB}/processor/resourceprocessor`, 5],
  ['exporter', 'debug', `${CORE}/exporter/debugexporter`, 15],
  ['exporter', 'file', `${CONTRIB}/exporter/fileexporter`, 15],
  ['exporter', 'otlp_grpc', `${CORE}/exporter/otlpexporter`, 55],
  ['exporter', 'otlp_http', `${CORE}/exporter/otlphttpexporter`, 60],
  ['extension', 'bearertokenauth', `${CONTRIB}/extension/bearertokenauthextension`, 5],
  ['extension', 'pprof', `${CONTRIB}/extension/pprofextension`, 5],
  ['extension', 'zpages', `${CORE}/extension/zpagesextension`, 35],
]
const DEFINITIONS = [...receivers, ...processors, ...exporters, ...extensions]

/** Options here by path, and those among them below which anything may stand. */
function options(fields: Fields, prefix = ''): { readonly known: Set<string>; readonly open: Set<string> } {
  const known = new Set<string>()
  const open = new Set<string>()
  const walk = (fields: Fields, prefix: string): void => {
    for (const [key, field] of Object.entries(fields)) one(field, prefix + key)
  }
  const one = ({ shape }: Field<unknown>, path: string): void => {
    known.add(path)
    if (shape.kind === 'object') walk(shape.fields, `${path}.`)
    else if (shape.kind === 'list') one(shape.item, `${path}[]`)
    else if (shape.kind === 'map' && shape.pairs === true) known.add(`${path}[].name`).add(`${path}[].value`)
    else if (shape.kind === 'noEffect' || shape.kind === 'unsupported' || shape.kind === 'any') open.add(path)
  }
  walk(fields, prefix)
  return { known, open }
}

const { skip, note } = needs(otelcol)

describe.skipIf(skip)(`options of the Go Collector’s components${note}`, () => {
  test.each(COMPONENTS)('%s %s', (kind, type, module, leastKeys) => {
    const definition = DEFINITIONS.find((each) => each.kind === kind && each.type === type)!
    const { known, open } = options(definition.config as Fields)
    const theirs = collectorKeys(module)
    expect(theirs.length).toBeGreaterThanOrEqual(leastKeys)
    const within = (key: string): boolean =>
      [...open].some((each) => key.startsWith(`${each}.`) || key.startsWith(`${each}[`))
    expect(theirs.filter((key) => !known.has(key) && !within(key))).toEqual([])
  })
})
