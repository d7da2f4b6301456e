import type { Report } from './problem.ts'
import { type Entry, isEmpty, type List, type Mapping, type Path, plain, type Tree } from './tree.ts'

/** The Collector's key delimiter: `exporters::debug::verbosity` is three keys, wherever it stands outside a list. */
const DELIMITER = '::'

export interface MergeOptions {
  /** Lists of ids under `service` are joined: the gate `confmap.enableMergeAppendOption`. */
  readonly joinLists?: boolean
}

/**
 * `later` laid over `earlier`: mappings key by key, everything else replaced, lists included. An empty key erases what
 * was under it, as in the Collector; there it happens in silence.
 */
export function merge(earlier: Tree, later: Tree, report: Report, options: MergeOptions = {}, path: Path = []): Tree {
  if (earlier.kind === 'list' && later.kind === 'list' && options.joinLists && namesComponents(path)) {
    return joined(earlier, later)
  }
  if (earlier.kind !== 'map' || later.kind !== 'map') return later
  const entries = new Map(earlier.entries)
  for (const [key, entry] of later.entries) {
    const before = entries.get(key)
    if (before === undefined) {
      entries.set(key, entry)
      continue
    }
    const at = [...path, key]
    if (isEmpty(entry.value) && before.value.kind === 'map' && before.value.entries.size > 0) {
      const { line } = before.key.source.position(before.key.offset)
      const message = `nothing stands here, which erases what ${before.key.source.name}:${line} has under this key; leave the key out to keep it`
      report.warning('CONFIG_ERASED', entry.key, at, message)
    }
    entries.set(key, { key: entry.key, value: merge(before.value, entry.value, report, options, at) })
  }
  return { ...later, entries }
}

/** `service::extensions`, and `receivers` and `exporters` anywhere below `service`, as the Collector's gate has it. */
function namesComponents(path: Path): boolean {
  if (path[0] !== 'service') return false
  const last = path.at(-1)
  return path.length === 2 ? last === 'extensions' : last === 'receivers' || last === 'exporters'
}

/** Both, in this order, what is in both once. */
function joined(earlier: List, later: List): List {
  const there = new Set(earlier.items.map((item) => JSON.stringify(plain(item))))
  return {
    ...later,
    items: [...earlier.items, ...later.items.filter((item) => !there.has(JSON.stringify(plain(item))))],
  }
}

/** Keys with `::` taken apart, as deep as mappings go; what ends up under one key is merged in the order it stands. */
export function splitKeys(tree: Tree, report: Report): Tree {
  if (tree.kind !== 'map') return tree
  const entries = [...tree.entries].map(([key, entry]): [string, Entry] => {
    const value = splitKeys(entry.value, report)
    return [key, value === entry.value ? entry : { key: entry.key, value }]
  })
  if (!entries.some(([key, entry]) => key.includes(DELIMITER) || entry !== tree.entries.get(key))) return tree
  let whole: Mapping = { ...tree, entries: new Map() }
  for (const [key, entry] of entries) whole = merge(whole, nest(key.split(DELIMITER), entry), report) as Mapping
  return whole
}

/** `a::b: v` as `{a: {b: v}}`. */
function nest(keys: readonly string[], entry: Entry): Mapping {
  const [first = '', ...rest] = keys
  const value = rest.length === 0 ? entry.value : nest(rest, entry)
  return { kind: 'map', place: entry.key, entries: new Map([[first, { key: entry.key, value }]]) }
}
