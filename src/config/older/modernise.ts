import type { Report } from '../problem.ts'
import type { Registry } from '../registry.ts'
import type { Mapping } from '../tree.ts'
import { applyTo, type Change } from './change.ts'
import { olderForms } from './rules.ts'

/** No configuration has as many older forms: what is left then is refused like any other mistake. */
const MOST_CHANGES = 2000

/** The configuration in today's form. Each older one is a warning where it stands, with what is written now. */
export function modernise(root: Mapping, registry: Registry, report: Report): Mapping {
  let modern = root
  // What an anchor stands for is found once for each of its uses.
  const said = new Set<string>()
  for (let n = 0; n < MOST_CHANGES; n++) {
    const change = next(modern, registry)
    if (change === undefined) return modern
    const { source, offset } = change.place
    const here = `${source.name}:${offset}`
    if (!said.has(here)) report.warning('CONFIG_DEPRECATED', change.place, change.path, change.message)
    said.add(here)
    for (const op of change.ops) modern = applyTo(modern, op) as Mapping
  }
  return modern
}

function next(root: Mapping, registry: Registry): Change | undefined {
  for (const change of olderForms(root, registry))
    if (change.keptByLoader !== true && change.ops.length > 0) return change
  return undefined
}
