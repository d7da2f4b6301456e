import { splitHostPort } from '../../transport/listen-address.ts'
import { parseId } from '../components.ts'
import type { Fields } from '../field.ts'
import { type Described, KIND_OF, type Registry } from '../registry.ts'
import { SECTIONS, type Section } from '../resolved.ts'
import { type Entry, type Mapping, type Path, type Tree, valueAt } from '../tree.ts'
import type { Change, Op } from './change.ts'
import { WITHOUT_EFFECT } from './gone.ts'
import type { OlderOption } from './older-option.ts'

/*
 * What the Collector once took and takes no more, or only with a warning, as rules that find it in a tree. They are the same
 * whether the tree is a whole configuration, with its references expanded, or one file as it stands.
 */

/** Every older form in `root`, of which one may make another: look again once it is brought up to date. */
export function* olderForms(root: Mapping, registry: Registry): Generator<Change> {
  yield* metricsAddress(root)
  yield* grpcProtocol(valueAt(root, ['service', 'telemetry']), ['service', 'telemetry'])
  yield* extensionsWithoutEffect(root)
  for (const section of SECTIONS) {
    for (const [id, entry] of entriesAt(root, [section])) {
      const parsed = parseId(id)
      const definition = typeof parsed === 'string' ? undefined : registry.find(KIND_OF[section], parsed.type)
      if (definition === undefined) continue
      const path = [section, id]
      if (entry.value.kind === 'map') {
        for (const option of definition.older ?? []) yield* olderOption(option, entry.value, path)
        yield* olderKeys(definition.config, entry.value, path)
      }
      yield* olderType(root, section, id, entry, definition)
    }
  }
}

/** `service.telemetry.metrics.address`, which the Collector ignores since v0.123. */
function* metricsAddress(root: Mapping): Generator<Change> {
  const above = ['service', 'telemetry', 'metrics']
  const metrics = valueAt(root, above)
  const entry = metrics?.kind === 'map' ? metrics.entries.get('address') : undefined
  if (metrics?.kind !== 'map' || entry === undefined || entry.value.broken) return
  const path = [...above, 'address']
  if (metrics.entries.has('readers')) {
    const message = 'is the old form of readers, which stand beside it and win; remove it'
    yield { path, place: entry.key, message, ops: [{ op: 'remove', path }] }
    return
  }
  const { value } = entry
  const parts = value.kind === 'scalar' && typeof value.value === 'string' ? hostAndPort(value.value) : undefined
  // What is no address the option itself says.
  if (parts === undefined) return
  const host = parts.host === '' ? '0.0.0.0' : parts.host
  const shown = `readers: [{pull: {exporter: {prometheus: {host: ${host}, port: ${parts.port}}}}}]`
  const readers = [{ pull: { exporter: { prometheus: { ...parts, host } } } }]
  const message = `is the old form; write ${shown}`
  yield { path, place: entry.key, message, ops: [{ op: 'replace', path, key: 'readers', value: readers }] }
}

/** Of an address that may still have references in it. */
function hostAndPort(address: string): { readonly host: string; readonly port: number | string } | undefined {
  const reference = /^(.*):(\d+|\$\{[^{}]*\})$/.exec(address.includes('${') ? address : '')
  if (reference !== null)
    return { host: reference[1]!, port: /^\d+$/.test(reference[2]!) ? Number(reference[2]) : reference[2]! }
  const parts = splitHostPort(address)
  return typeof parts === 'string' ? undefined : { host: parts.host, port: parts.port }
}

/** `protocol: grpc/protobuf` of own telemetry's exporters, which is `grpc` since v0.119. */
function* grpcProtocol(tree: Tree | undefined, path: Path): Generator<Change> {
  if (tree?.kind === 'list') {
    for (const [index, item] of tree.items.entries()) yield* grpcProtocol(item, [...path, index])
  } else if (tree?.kind === 'map') {
    for (const [key, { key: place, value }] of tree.entries) {
      const at = [...path, key]
      if (key === 'protocol' && value.kind === 'scalar' && value.value === 'grpc/protobuf') {
        const message = '"grpc/protobuf" is the old name; write protocol: grpc'
        yield { path: at, place, message, ops: [{ op: 'set', path: at, to: 'grpc' }] }
      } else yield* grpcProtocol(value, at)
    }
  }
}

function* extensionsWithoutEffect(root: Mapping): Generator<Change> {
  const uses = valueAt(root, ['service', 'extensions'])
  for (const [id, entry] of entriesAt(root, ['extensions'])) {
    const type = id.split('/')[0]!
    const why = Object.hasOwn(WITHOUT_EFFECT, type) ? WITHOUT_EFFECT[type] : undefined
    if (why === undefined) continue
    const path = ['extensions', id]
    const items = uses?.kind === 'list' ? uses.items : []
    const used = items.flatMap((item, index): Op[] =>
      item.kind === 'scalar' && item.value === id ? [{ op: 'remove', path: ['service', 'extensions', index] }] : [],
    )
    const message = `has no effect: ${why}; remove it, here and from service.extensions`
    // From the last item on, so that the indices before it stay true.
    yield { path, place: entry.key, message, ops: [{ op: 'remove', path }, ...used.toReversed()] }
  }
}

/** An option that its component lists as one that it had. */
function* olderOption(option: OlderOption, options: Mapping, above: Path): Generator<Change> {
  // Keys once were read in upper or lower case alike: "logLevel" is as frequent.
  const key = [...options.entries.keys()].find((each) => each.toLowerCase() === option.key)
  const entry = key === undefined ? undefined : options.entries.get(key)
  if (key === undefined || entry === undefined) return
  const path = [...above, key]
  const { now } = option
  if (now === undefined) {
    const message = `has no effect: ${option.reason ?? 'there is no such option any more'}; remove it`
    yield { path, place: entry.key, message, ops: [{ op: 'remove', path }] }
    return
  }
  if (options.entries.has(now)) {
    const message = `is the old form of ${now}, which stands beside it and wins; remove it`
    yield { path, place: entry.key, message, ops: [{ op: 'remove', path }] }
    return
  }
  const rename: Op = { op: 'rename', path, to: now }
  const { value } = entry
  const text = value.kind === 'scalar' ? String(value.value ?? '') : undefined
  // What is no value of the old option is none of the new one either, which says so.
  const mapped = text === undefined ? undefined : (option.values?.[text.toLowerCase()] ?? text)
  const written = mapped === undefined ? undefined : `${option.before ?? ''}${mapped}`
  const message = `is the old form; write ${now}: ${written ?? '…'}`
  const unknown = option.values !== undefined && text?.includes('${') === true
  const ops: Op[] = written === undefined || written === text ? [rename] : [{ op: 'set', path, to: written }, rename]
  yield { path, place: entry.key, message, ops: unknown ? [] : ops }
}

/** Keys that moved in the sections that many components share, at any depth: told by the shape of their options. */
function* olderKeys(fields: Fields, options: Mapping, above: Path): Generator<Change> {
  yield* besideTls(fields, options, above)
  const has = (key: string): Entry | undefined => (Object.hasOwn(fields, key) ? undefined : options.entries.get(key))
  const section = (key: string): Fields => sectionFields(fields, key) ?? {}
  const move = (key: string, into: string, as: string): Change[] => {
    const entry = has(key)
    const target = options.entries.get(into)?.value
    if (entry === undefined || (target?.kind === 'map' && target.entries.has(as))) return []
    const message = `is the old form; write ${into}: {${as}: …}`
    const path = [...above, key]
    return [{ path, place: entry.key, message, ops: [{ op: 'move', path, into, as }] }]
  }
  if (Object.hasOwn(fields, 'cors')) {
    yield* move('cors_allowed_origins', 'cors', 'allowed_origins')
    yield* move('cors_allowed_headers', 'cors', 'allowed_headers')
  }
  if (Object.hasOwn(fields, 'block_on_overflow') && !options.entries.has('block_on_overflow')) {
    const entry = has('blocking')
    const path = [...above, 'blocking']
    const message = 'is the old name; write block_on_overflow'
    if (entry) yield { path, place: entry.key, message, ops: [{ op: 'rename', path, to: 'block_on_overflow' }] }
  }
  if (Object.hasOwn(section('sending_queue'), 'batch')) {
    const batcher = has('batcher')?.value
    if (batcher?.kind === 'map') {
      for (const size of ['min_size', 'max_size']) {
        const entry = batcher.entries.get(`${size}_items`)
        const path = [...above, 'batcher', `${size}_items`]
        const message = `is the old name; write ${size}`
        if (entry) yield { path, place: entry.key, message, ops: [{ op: 'rename', path, to: size }] }
      }
    }
    yield* move('batcher', 'sending_queue', 'batch')
  }
  for (const [key, entry] of options.entries) {
    const inner = sectionFields(fields, key)
    if (inner !== undefined && entry.value.kind === 'map') yield* olderKeys(inner, entry.value, [...above, key])
  }
}

/** TLS before it had a section of its own: its keys beside it, or under `tls_settings`. */
function* besideTls(fields: Fields, options: Mapping, above: Path): Generator<Change> {
  const tls = sectionFields(fields, 'tls')
  if (tls === undefined) return
  for (const [key, { key: place }] of options.entries) {
    if (Object.hasOwn(fields, key)) continue
    const path = [...above, key]
    const now = options.entries.get('tls')?.value
    if (key === 'tls_settings' && now === undefined) {
      yield { path, place, message: 'is the old name; write tls', ops: [{ op: 'rename', path, to: 'tls' }] }
    } else if (Object.hasOwn(tls, key) && !(now?.kind === 'map' && now.entries.has(key))) {
      const message = `is the old form; write tls: {${key}: …}`
      yield { path, place, message, ops: [{ op: 'move', path, into: 'tls', as: key }] }
    }
  }
}

function sectionFields(fields: Fields, key: string): Fields | undefined {
  const shape = Object.hasOwn(fields, key) ? fields[key]!.shape : undefined
  return shape?.kind === 'object' ? shape.fields : undefined
}

const USES: Readonly<Record<Section, readonly string[]>> = {
  receivers: ['receivers'],
  processors: ['processors'],
  exporters: ['exporters'],
  connectors: ['receivers', 'exporters'],
  extensions: [],
}

/** A type under its old name, and where pipelines and the service name the component. */
function* olderType(
  root: Mapping,
  section: Section,
  id: string,
  entry: Entry,
  definition: Described,
): Generator<Change> {
  const { type } = definition
  const old = id.split('/')[0]!
  if (old === type) return
  const name = id.slice(old.length + 1)
  // Two components are not to become one, nor one that is both an exporter and a connector.
  const isTaken = (other: string): boolean =>
    entriesAt(root, [section]).has(other) ||
    entriesAt(root, ['connectors']).has(other) ||
    (section === 'connectors' &&
      (entriesAt(root, ['receivers']).has(other) || entriesAt(root, ['exporters']).has(other)))
  const names = [`${type}${id.slice(old.length)}`, `${type}/${old}${name === '' ? '' : `_${name}`}`]
  const now = names.find((each) => !isTaken(each))
  if (now === undefined) return
  const lists = [...entriesAt(root, ['service', 'pipelines']).keys()].flatMap((pipeline) =>
    USES[section].map((list) => ['service', 'pipelines', pipeline, list]),
  )
  if (section === 'extensions') lists.push(['service', 'extensions'])
  const uses = lists.flatMap((path) => {
    const list = valueAt(root, path)
    const items = list?.kind === 'list' ? list.items : []
    return items.flatMap((item, index): Op[] =>
      item.kind === 'scalar' && item.value === id ? [{ op: 'set', path: [...path, index], to: now }] : [],
    )
  })
  const path = [section, id]
  yield {
    path,
    place: entry.key,
    message: `"${old}" is the old name of the ${definition.kind} "${type}"; both work, and an id is used as it is written`,
    ops: [...uses, { op: 'rename', path, to: now }],
    keptByLoader: true,
  }
}

function entriesAt(root: Tree, path: Path): ReadonlyMap<string, Entry> {
  const tree = valueAt(root, path)
  return tree?.kind === 'map' ? tree.entries : new Map<string, Entry>()
}
