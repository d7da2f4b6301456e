import { parseId } from '../components.ts'
import { splitKeys } from '../merge.ts'
import { parseYaml } from '../parse.ts'
import { inReadingOrder, type Problem, Report } from '../problem.ts'
import { KIND_OF, type Registry } from '../registry.ts'
import { SECTIONS } from '../resolved.ts'
import { type Mapping, Source, type Tree, valueAt } from '../tree.ts'
import { applyTo, type Change } from './change.ts'
import { goneType } from './gone.ts'
import { olderForms } from './rules.ts'
import { editText } from './text-edits.ts'

export interface Migrated {
  /** The text in today's form, comments and layout kept; as it came where nothing is older. */
  readonly text: string
  /** What was brought up to date, with places in the text as it came. */
  readonly changes: readonly Problem[]
  /** Older forms, and components that are gone, that a person has to change. */
  readonly left: readonly Problem[]
  /** Why nothing was done: the text is no configuration. */
  readonly problems: readonly Problem[]
}

/** No configuration has as many older forms; a rule that finds what it made would go on for ever. */
const MOST_CHANGES = 2000

/** Brings the text of one file up to date. References in it stay references. */
export function migrate(text: string, name: string, registry: Registry): Migrated {
  const report = new Report()
  const first = parse(text, name, report)
  if (first === undefined || report.problems.length > 0) {
    return { text, changes: [], left: [], problems: report.problems }
  }
  const stuck = new Set<string>()
  let migrated = text
  for (let n = 0; n < MOST_CHANGES; n++) {
    const tree = parse(migrated, name, new Report())
    const change = tree === undefined ? undefined : nextChange(tree, registry, stuck)
    if (change === undefined) break
    const edited = withChange(migrated, change)
    if (edited === undefined || parse(edited, name, new Report()) === undefined) stuck.add(keyOf(change))
    else migrated = edited
  }
  const { changes, left } = describe(first, registry, stuck)
  return { text: migrated, changes, left, problems: [] }
}

/** Undefined where the text is no mapping. */
function parse(text: string, name: string, report: Report): Mapping | undefined {
  const { tree, errors } = parseYaml(new Source(name, text))
  for (const { code, place, message } of errors) report.problem(code, place, [], message)
  if (tree.kind === 'map') return errors.length === 0 ? (splitKeys(tree, new Report()) as Mapping) : undefined
  if (errors.length === 0)
    report.problem('CONFIG_TYPE', tree.place, [], 'expected a mapping with receivers, exporters, …')
  return undefined
}

function nextChange(tree: Mapping, registry: Registry, without: ReadonlySet<string>): Change | undefined {
  for (const change of olderForms(tree, registry)) if (!without.has(keyOf(change))) return change
  return undefined
}

function withChange(text: string, { ops }: Change): string | undefined {
  let edited: string | undefined = text
  for (const op of ops) {
    edited = editText(edited, op)
    if (edited === undefined) return undefined
  }
  return edited === text ? undefined : edited
}

function keyOf({ path }: Change): string {
  return JSON.stringify(path)
}

/** The same changes, found in a tree, whose places stay those of the text as it came. */
function describe(
  first: Mapping,
  registry: Registry,
  stuck: ReadonlySet<string>,
): { readonly changes: Problem[]; readonly left: Problem[] } {
  const report = new Report()
  const said = new Set<string>()
  const leave = new Set(stuck)
  let tree: Tree = first
  const say = (change: Change, how: 'note' | 'warning'): void => {
    const here = `${change.place.offset}`
    if (!said.has(here)) report[how]('CONFIG_DEPRECATED', change.place, change.path, change.message)
    said.add(here)
  }
  for (let n = 0; n < MOST_CHANGES; n++) {
    const change = nextChange(tree as Mapping, registry, leave)
    if (change === undefined) break
    say(change, 'note')
    // What has no steps would be found for ever.
    if (change.ops.length === 0) leave.add(keyOf(change))
    for (const op of change.ops) tree = applyTo(tree, op)
  }
  for (const change of olderForms(tree as Mapping, registry)) if (stuck.has(keyOf(change))) say(change, 'warning')
  reportGone(first, registry, report)
  return { changes: inReadingOrder(report.notes, []), left: inReadingOrder(report.warnings, []) }
}

/** What takes the place of a component that is gone has other options: no edit of the text. */
function reportGone(root: Mapping, registry: Registry, report: Report): void {
  for (const section of SECTIONS) {
    const components = valueAt(root, [section])
    if (components?.kind !== 'map') continue
    for (const [id, { key }] of components.entries) {
      const parsed = parseId(id)
      if (typeof parsed === 'string' || registry.find(KIND_OF[section], parsed.type) !== undefined) continue
      const message = goneType(KIND_OF[section], parsed.type)
      if (message !== undefined) report.warning('CONFIG_UNKNOWN_TYPE', key, [section, id], message)
    }
  }
}
