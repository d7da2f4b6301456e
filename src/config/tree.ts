/** A YAML value that knows where it was written. Immutable; subtrees are shared by aliases. */
export type Tree = Scalar | List | Mapping

export type ScalarValue = string | number | bigint | boolean | null

interface Written {
  readonly place: Place
  /** Where the value came out of a reference: the text before it was read as YAML, for options that want a string. */
  readonly text?: string
  /** Came out of an environment variable whose name says that it is a secret. */
  readonly secret?: boolean
  /** What stands here could not be expanded; that was reported, and nothing more can be said. */
  readonly broken?: boolean
  /** Why a value that was meant as more is only a string: its text is not YAML. */
  readonly hint?: string
}

export interface Scalar extends Written {
  readonly kind: 'scalar'
  /** Integers that a double cannot hold exactly are BigInt. */
  readonly value: ScalarValue
  /** As it was written, where that is no string to YAML: `0123` of 83. */
  readonly raw?: string
}

export interface List extends Written {
  readonly kind: 'list'
  readonly items: readonly Tree[]
}

export interface Mapping extends Written {
  readonly kind: 'map'
  readonly entries: ReadonlyMap<string, Entry>
}

export interface Entry {
  /** Where the key stands. */
  readonly key: Place
  readonly value: Tree
}

/** An offset into a source; line and column are worked out only when a problem is printed. */
export interface Place {
  readonly source: Source
  /** UTF-16 units from the start of the source. */
  readonly offset: number
}

/** One text that configuration came from. */
export class Source {
  /** As problems name it: the path of a file, `env:NAME`, `--set a.b`. */
  readonly name: string
  readonly text: string
  #lineStarts: number[] | undefined

  constructor(name: string, text: string) {
    this.name = name
    this.text = text
  }

  /** Both from 1. */
  position(offset: number): { line: number; col: number } {
    this.#lineStarts ??= lineStarts(this.text)
    let low = 0
    let high = this.#lineStarts.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (this.#lineStarts[middle]! <= offset) low = middle
      else high = middle
    }
    return { line: low + 1, col: offset - this.#lineStarts[low]! + 1 }
  }
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

export type Path = readonly (string | number)[]

/** `processors.attributes.actions[0].key` */
export function formatPath(path: Path): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else text += text === '' ? part : `.${part}`
  }
  return text
}

/** The value at `path`, or undefined where the tree has none. */
export function valueAt(tree: Tree | undefined, path: Path): Tree | undefined {
  let value = tree
  for (const part of path) {
    if (value?.kind === 'map') value = value.entries.get(String(part))?.value
    else if (value?.kind === 'list' && typeof part === 'number') value = value.items[part]
    else return undefined
  }
  return value
}

/** The place of the value at `path`, or of the deepest key above it that exists. */
export function placeAt(tree: Tree, path: Path): Place {
  let value: Tree = tree
  let place = tree.place
  for (const part of path) {
    if (value.kind === 'map') {
      const entry = value.entries.get(String(part))
      if (entry === undefined) return place
      place = entry.key
      value = entry.value
    } else if (value.kind === 'list' && typeof part === 'number') {
      const item = value.items[part]
      if (item === undefined) return place
      place = item.place
      value = item
    } else return place
  }
  return isEmpty(value) ? place : value.place
}

/** The place of the key at `path`, or of the deepest key above it that exists. */
export function keyAt(tree: Tree, path: Path): Place {
  const last = path.at(-1)
  if (last === undefined) return tree.place
  const parent = valueAt(tree, path.slice(0, -1))
  const entry = parent?.kind === 'map' ? parent.entries.get(String(last)) : undefined
  return entry?.key ?? placeAt(tree, path)
}

/** A key with nothing after it: its value's own place is the end of the line, which helps nobody. */
export function isEmpty(tree: Tree): boolean {
  return tree.kind === 'scalar' && tree.value === null
}

/** A plain value as a tree at one place: defaults, and texts that came from elsewhere. */
export function treeOf(value: unknown, place: Place): Tree {
  if (Array.isArray(value)) return { kind: 'list', place, items: value.map((item) => treeOf(item, place)) }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, item]): [string, Entry] => [
      key,
      { key: place, value: treeOf(item, place) },
    ])
    return { kind: 'map', place, entries: new Map(entries) }
  }
  if (value === undefined) return { kind: 'scalar', place, value: null }
  return { kind: 'scalar', place, value: value as ScalarValue }
}

/** The tree as plain data. */
export function plain(tree: Tree): unknown {
  if (tree.kind === 'scalar') return tree.value
  if (tree.kind === 'list') return tree.items.map(plain)
  // fromEntries defines properties, so that a key `__proto__` stays a key.
  return Object.fromEntries([...tree.entries].map(([key, entry]) => [key, plain(entry.value)]))
}
