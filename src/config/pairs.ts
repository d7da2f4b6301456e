import type { Report } from './problem.ts'
import type { Entry, List, Path } from './tree.ts'
import { describe, quote } from './wording.ts'

/**
 * A list of `name` and `value` as the mapping that it stands for: the Collector's headers may be written either way.
 * `valid` is false where some of it is none; why is in the report then. `hidden`: nothing of a value is shown.
 */
export function entriesOfPairs(
  list: List,
  path: Path,
  hidden: boolean,
  report: Report,
): { readonly entries: ReadonlyMap<string, Entry>; readonly valid: boolean } {
  const entries = new Map<string, Entry>()
  let valid = true
  const wrong = (...problem: Parameters<Report['problem']>): void => {
    valid = false
    report.problem(...problem)
  }
  for (const [index, item] of list.items.entries()) {
    const at = [...path, index]
    if (item.kind !== 'map') {
      if (item.broken) valid = false
      else wrong('CONFIG_TYPE', item.place, at, `expected a mapping of name and value, got ${describe(item, hidden)}`)
      continue
    }
    for (const [key, entry] of item.entries) {
      if (key === 'name' || key === 'value') continue
      wrong('CONFIG_UNKNOWN_KEY', entry.key, [...at, key], 'there is no such option; there are name and value')
    }
    const name = item.entries.get('name')
    const value = item.entries.get('value')
    if (name === undefined) wrong('CONFIG_REQUIRED', item.place, [...at, 'name'], 'missing: it must be set')
    if (value === undefined) wrong('CONFIG_REQUIRED', item.place, [...at, 'value'], 'missing: it must be set')
    if (name === undefined || value === undefined) continue
    const text = name.value.kind === 'scalar' && typeof name.value.value === 'string' ? name.value.value : ''
    if (text === '') wrong('CONFIG_TYPE', name.value.place, [...at, 'name'], 'expected a name')
    else if (entries.has(text))
      wrong('CONFIG_VALUE', name.key, [...at, 'name'], `${quote(text)} stands twice in this list`)
    else entries.set(text, { key: name.key, value: value.value })
  }
  return { entries, valid }
}
