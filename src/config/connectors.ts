import type { Signal } from '../otlp/batch.ts'
import type { ConfiguredComponents } from './components.ts'
import type { Report } from './problem.ts'
import type { ResolvedPipeline } from './resolved.ts'
import { keyAt, placeAt, type Tree } from './tree.ts'

/** Reports connectors with an ambiguous id or a loose end, and circles of them. */
export function checkConnectors(
  pipelines: readonly ResolvedPipeline[],
  components: ConfiguredComponents,
  root: Tree,
  report: Report,
): void {
  const links: Link[] = []
  for (const { id, definition, key } of components.connectors.values()) {
    for (const section of ['receivers', 'exporters'] as const) {
      const other = components[section].get(id)
      if (other === undefined) continue
      const { line } = other.key.source.position(other.key.offset)
      const message = `this id also stands under ${section} (${other.key.source.name}:${line}), so a pipeline cannot tell them apart; rename one, for example "${id.includes('/') ? `${id}_connector` : `${id}/connector`}"`
      report.problem('CONFIG_CONNECTOR', key, ['connectors', id], message)
    }
    if (definition === undefined) continue
    const connects = definition.connects ?? []
    const into = pipelines.filter((pipeline) => pipeline.exporters.includes(id))
    const outOf = pipelines.filter((pipeline) => pipeline.receivers.includes(id))
    const joined = (from: Signal, to: Signal): boolean => connects.some((pair) => pair[0] === from && pair[1] === to)
    for (const from of into) {
      const fed = outOf.filter((to) => joined(from.signal, to.signal))
      for (const to of fed) links.push({ from: from.id, connector: id, to: to.id })
      if (fed.length === 0) loose(from, 'exporters', id, connects, root, report)
    }
    for (const to of outOf) {
      if (!into.some((from) => joined(from.signal, to.signal))) loose(to, 'receivers', id, connects, root, report)
    }
  }
  reportCycles(links, pipelines, root, report)
}

function loose(
  pipeline: ResolvedPipeline,
  role: 'receivers' | 'exporters',
  id: string,
  connects: readonly (readonly [from: Signal, to: Signal])[],
  root: Tree,
  report: Report,
): void {
  const path = ['service', 'pipelines', pipeline.id, role, pipeline[role].indexOf(id)]
  const [mine, theirs] = role === 'exporters' ? [0, 1] : [1, 0]
  const signals = connects.filter((pair) => pair[mine] === pipeline.signal).map((pair) => pair[theirs])
  // Of a signal that it does not do at all, the reference itself was reported.
  if (signals.length === 0) return
  const other = role === 'exporters' ? 'receivers' : 'exporters'
  const message = `the connector "${id}" is in the ${role} here but in the ${other} of no pipeline of ${signals.join(' or ')}; it needs both ends`
  report.problem('CONFIG_CONNECTOR', placeAt(root, path), path, message)
}

/** Data of pipeline `from` reaches pipeline `to`. */
interface Link {
  readonly from: string
  readonly connector: string
  readonly to: string
}

/** Each circle once: found from the pipeline in it that stands first. */
function reportCycles(
  links: readonly Link[],
  pipelines: readonly ResolvedPipeline[],
  root: Tree,
  report: Report,
): void {
  const outgoing = Map.groupBy(links, (link) => link.from)
  const finished = new Set<string>()
  const trail: Link[] = []
  const visit = (pipeline: string): void => {
    for (const link of outgoing.get(pipeline) ?? []) {
      const start = trail.findIndex((step) => step.from === link.to)
      if (link.to === pipeline) reportCycle([link], root, report)
      else if (start !== -1) reportCycle([...trail.slice(start), link], root, report)
      else if (!finished.has(link.to)) {
        trail.push(link)
        visit(link.to)
        trail.pop()
      }
    }
    finished.add(pipeline)
  }
  for (const { id } of pipelines) if (!finished.has(id)) visit(id)
}

function reportCycle(circle: readonly Link[], root: Tree, report: Report): void {
  const first = circle[0]!
  const steps = [...circle.flatMap((link) => [link.connector, link.to]), first.connector]
  const path = ['service', 'pipelines', first.from, 'exporters']
  const message = `connectors lead data round in a circle: ${steps.join(' → ')}`
  report.problem('CONFIG_CYCLE', keyAt(root, path), path, message)
}
