import { decodeFields, INVALID } from './decode.ts'
import { didYouMean } from './nearest.ts'
import { goneType } from './older/gone.ts'
import type { Report } from './problem.ts'
import { type Described, KIND_OF, type Kind, type Registry } from './registry.ts'
import { SECTIONS, type Section } from './resolved.ts'
import { type Entry, isEmpty, type Path, type Place, placeAt, type Tree, valueAt } from './tree.ts'

/** A component that a section defines. */
export interface Configured {
  readonly id: string
  readonly section: Section
  /** Undefined where its type is unknown. */
  readonly definition: Described | undefined
  /** Undefined where something in it is wrong. */
  readonly config: Readonly<Record<string, unknown>> | undefined
  /** Where its id stands. */
  readonly key: Place
}

export type ConfiguredComponents = Readonly<Record<Section, ReadonlyMap<string, Configured>>>

const TYPE = /^[a-zA-Z][0-9a-zA-Z_]{0,62}$/
const NAME = /^[^\p{Z}\p{C}\p{S}]{1,1024}$/u

/** Every component of the five sections, decoded, with everything wrong reported. */
export function readComponents(root: Tree, registry: Registry, report: Report): ConfiguredComponents {
  const read = (section: Section): [Section, ReadonlyMap<string, Configured>] => [
    section,
    readSection(section, valueAt(root, [section]), registry, report),
  ]
  return Object.fromEntries(SECTIONS.map(read)) as unknown as ConfiguredComponents
}

function readSection(
  section: Section,
  tree: Tree | undefined,
  registry: Registry,
  report: Report,
): ReadonlyMap<string, Configured> {
  const components = new Map<string, Configured>()
  if (tree === undefined || tree.broken || isEmpty(tree)) return components
  if (tree.kind !== 'map') {
    const message = `expected a mapping of ids to options, got ${tree.kind === 'list' ? 'a list' : 'a single value'}`
    report.problem('CONFIG_TYPE', tree.place, [section], message)
    return components
  }
  for (const [id, entry] of tree.entries) {
    components.set(id, readComponent(section, id, entry, registry, report))
  }
  return components
}

function readComponent(section: Section, id: string, entry: Entry, registry: Registry, report: Report): Configured {
  const path: Path = [section, id]
  const kind = KIND_OF[section]
  const nothing: Configured = { id, section, key: entry.key, definition: undefined, config: undefined }
  const parsed = parseId(id)
  if (typeof parsed === 'string') {
    report.problem('CONFIG_ID', entry.key, path, parsed)
    return nothing
  }
  const definition = registry.find(kind, parsed.type)
  if (definition === undefined) {
    const message = goneType(kind, parsed.type) ?? `no ${kind} has this type${otherwise(parsed.type, kind, registry)}`
    report.problem('CONFIG_UNKNOWN_TYPE', entry.key, path, message)
    return nothing
  }
  if (parsed.type !== definition.type) {
    const message = `"${parsed.type}" is the old name of the ${kind} "${definition.type}"; both work, and an id is used as it is written`
    report.warning('CONFIG_DEPRECATED', entry.key, path, message)
  }
  const before = report.problems.length
  const config = decodeFields(definition.config, entry.value, path, entry.key, report)
  if (config === INVALID || report.problems.length > before) return { ...nothing, definition }
  const conflicts = definition.check?.(config) ?? []
  for (const { path: below, message } of conflicts) {
    report.problem('CONFIG_CONFLICT', conflictPlace(entry, below), [...path, ...below], message)
  }
  return { ...nothing, definition, ...(conflicts.length === 0 && { config }) }
}

function conflictPlace(entry: Entry, path: Path): Place {
  return path.length === 0 || isEmpty(entry.value) ? entry.key : placeAt(entry.value, path)
}

/** `type` or `type/name`, or what is wrong with it. */
export function parseId(id: string): { readonly type: string; readonly name: string | undefined } | string {
  const slash = id.indexOf('/')
  const type = slash === -1 ? id : id.slice(0, slash)
  const name = slash === -1 ? undefined : id.slice(slash + 1)
  if (!TYPE.test(type)) {
    return `expected an id like "otlp" or "otlp/name": the type is a letter, then letters, digits and "_", 63 at most`
  }
  if (name === '') return 'expected a name after the "/", or no "/"'
  if (name !== undefined && !NAME.test(name)) {
    return 'expected a name of at most 1024 characters, none of them a space, a control character or a symbol'
  }
  return { type, name }
}

function otherwise(type: string, kind: Kind, registry: Registry): string {
  const names = registry.definitions
    .filter((definition) => definition.kind === kind)
    .flatMap((definition) => [definition.type, ...(definition.aliases ?? [])])
  const near = didYouMean(type, names)
  if (near !== '') return near
  const sections = SECTIONS.filter((section) => registry.find(KIND_OF[section], type) !== undefined)
  if (sections.length > 0) return `; "${type}" goes under ${sections.join(' or ')}`
  const types = registry.types(kind)
  return types.length === 0 ? '' : `; there are ${types.join(', ')}`
}
