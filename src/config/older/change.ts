import { type Entry, type List, type Mapping, type Path, type Place, type Tree, treeOf } from '../tree.ts'

/**
 * One step of bringing an older form up to date. Trees take it (`applyTo`, below) when a configuration is loaded, texts
 * (`text-edits.ts`) when it is migrated: the same steps, so that both mean the same.
 */
export type Op =
  /** The last key of `path` is called something else. */
  | { readonly op: 'rename'; readonly path: Path; readonly to: string }
  /** The scalar at `path` is another text. */
  | { readonly op: 'set'; readonly path: Path; readonly to: string }
  /** The key, or the item of a list, goes. */
  | { readonly op: 'remove'; readonly path: Path }
  /** The key moves into the mapping `into` beside it, which is made where it is not there, and is called `as` in it. */
  | { readonly op: 'move'; readonly path: Path; readonly into: string; readonly as: string }
  /** Another key and value stand in its place. */
  | { readonly op: 'replace'; readonly path: Path; readonly key: string; readonly value: unknown }

/** An older form that was found. */
export interface Change {
  /** Of the older key. */
  readonly path: Path
  readonly place: Place
  /** What it is and what is written now, for a warning. */
  readonly message: string
  /** None where a reference stands for the value, which only a person can tell. */
  readonly ops: readonly Op[]
  /** Both forms mean the same to the loader, which leaves it: another id would be another series in the metrics. */
  readonly keptByLoader?: true
}

/** The tree with the step taken; places stay where the values were written. */
export function applyTo(root: Tree, op: Op): Tree {
  const key = op.path.at(-1)!
  return inParent(root, op.path.slice(0, -1), (parent) => {
    if (parent.kind === 'list') return inList(parent, op, Number(key))
    return parent.kind === 'map' ? inMapping(parent, op, String(key)) : parent
  })
}

function inParent(tree: Tree, path: Path, edit: (parent: Tree) => Tree): Tree {
  const [first, ...rest] = path
  if (first === undefined) return edit(tree)
  if (tree.kind === 'list') {
    return { ...tree, items: tree.items.map((item, index) => (index === first ? inParent(item, rest, edit) : item)) }
  }
  if (tree.kind !== 'map') return tree
  return withEntries(tree, (key, entry) => {
    return [key, key === first ? { key: entry.key, value: inParent(entry.value, rest, edit) } : entry]
  })
}

function inList(parent: List, op: Op, at: number): List {
  if (op.op === 'remove') return { ...parent, items: parent.items.filter((_, index) => index !== at) }
  if (op.op !== 'set') return parent
  return { ...parent, items: parent.items.map((item, index) => (index === at ? treeOf(op.to, item.place) : item)) }
}

function inMapping(parent: Mapping, op: Op, at: string): Mapping {
  switch (op.op) {
    case 'rename':
      return withEntries(parent, (key, entry) => [key === at ? op.to : key, entry])
    case 'set':
      return withEntries(parent, (key, entry) => {
        return [key, key === at ? { key: entry.key, value: treeOf(op.to, entry.value.place) } : entry]
      })
    case 'remove':
      return withEntries(parent, (key, entry) => (key === at ? undefined : [key, entry]))
    case 'replace':
      return withEntries(parent, (key, entry) => {
        return key === at ? [op.key, { key: entry.key, value: treeOf(op.value, entry.value.place) }] : [key, entry]
      })
    default:
      return moved(parent, at, op.into, op.as)
  }
}

function moved(parent: Mapping, at: string, into: string, as: string): Mapping {
  const entry = parent.entries.get(at)!
  const target = parent.entries.get(into)
  const inside = target?.value.kind === 'map' ? target.value.entries : new Map<string, Entry>()
  const value: Mapping = {
    kind: 'map',
    place: target?.value.place ?? entry.value.place,
    entries: new Map([...inside, [as, entry]]),
  }
  const rest = withEntries(parent, (key, other) => (key === at ? undefined : [key, other]))
  return { ...rest, entries: new Map([...rest.entries, [into, { key: target?.key ?? entry.key, value }]]) }
}

function withEntries(tree: Mapping, edit: (key: string, entry: Entry) => [string, Entry] | undefined): Mapping {
  const entries = [...tree.entries].map(([key, entry]) => edit(key, entry)).filter((kept) => kept !== undefined)
  return { ...tree, entries: new Map(entries) }
}
