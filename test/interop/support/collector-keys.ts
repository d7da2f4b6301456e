/** The options of the Collector's components, from the schemas that come with its modules. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import { pathOf } from '../peers/peer.ts'
import { otelcol } from '../peers/registry.ts'

interface Schema {
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, Schema>>
  readonly properties?: Readonly<Record<string, Schema>>
  readonly allOf?: readonly Schema[]
  readonly items?: Schema
}
/** A schema and the file in which its references are meant. */
interface Place {
  readonly schema: Schema
  readonly file: string
}

const CORE = 'go.opentelemetry.io/collector'
const CONTRIB = 'github.com/open-telemetry/opentelemetry-collector-contrib'

/** Every option of a component by its path, `tls.ca_file`; those of a list's items as `list[].key`. */
export function collectorKeys(module: string): string[] {
  const file = fileOf(module)
  return [...keys({ schema: read(file), file }, '', [])].sort()
}

function* keys(place: Place, prefix: string, within: readonly Schema[]): Generator<string> {
  // A section that holds itself.
  if (within.includes(place.schema)) return
  for (const [key, child] of properties(place)) {
    yield prefix + key
    const inside = [...within, place.schema]
    yield* keys(child, `${prefix}${key}.`, inside)
    const list = resolve(child)
    if (list?.schema.items !== undefined) {
      yield* keys({ schema: list.schema.items, file: list.file }, `${prefix}${key}[].`, inside)
    }
  }
}

function* properties(place: Place): Generator<[string, Place]> {
  const found = resolve(place)
  if (found === undefined) return
  const { schema, file } = found
  for (const [key, child] of Object.entries(schema.properties ?? {})) yield [key, { schema: child, file }]
  for (const part of schema.allOf ?? []) yield* properties({ schema: part, file })
}

/** Follows references; undefined where the module has no schema. */
function resolve({ schema, file }: Place): Place | undefined {
  const { $ref } = schema
  if ($ref === undefined) return { schema, file }
  const [, path = '', name = ''] = /^(.*?)\.?([a-z0-9_]*)$/i.exec($ref)!
  const target = path === '' ? file : elsewhere(path, file)
  if (!existsSync(target)) return undefined
  const document = read(target)
  const found = name === '' ? document : document.$defs?.[name]
  return found === undefined ? undefined : resolve({ schema: found, file: target })
}

/** `/config/configtls` is a module of the same repository, `./internal/x` a package of the same module. */
function elsewhere(path: string, file: string): string {
  if (path.startsWith('.')) return join(dirname(file), path, 'config.schema.yaml')
  if (!path.startsWith('/')) return fileOf(path)
  return fileOf((file.includes(CONTRIB) ? CONTRIB : CORE) + path)
}

function fileOf(module: string): string {
  return join(pathOf(otelcol, 'schemas'), module, 'config.schema.yaml')
}

const documents = new Map<string, Schema>()

function read(file: string): Schema {
  const known = documents.get(file)
  if (known !== undefined) return known
  const document = parse(readFileSync(file, 'utf8')) as Schema
  documents.set(file, document)
  return document
}
