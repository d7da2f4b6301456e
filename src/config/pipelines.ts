import { SIGNALS, type Signal } from '../otlp/batch.ts'
import type { Configured, ConfiguredComponents } from './components.ts'
import { parseId } from './components.ts'
import { didYouMean } from './nearest.ts'
import type { Report } from './problem.ts'
import { KIND_OF, type Registry } from './registry.ts'
import { type ResolvedPipeline, SECTIONS, type Section } from './resolved.ts'
import { formatPath, isEmpty, keyAt, type Path, type Place, placeAt, type Tree, valueAt } from './tree.ts'

export interface Pipelines {
  readonly pipelines: readonly ResolvedPipeline[]
  /** By section, the ids that a pipeline or the service refers to. */
  readonly used: Readonly<Record<Section, ReadonlySet<string>>>
}

/**
 * Resolves what the pipelines and `service.extensions` refer to, and reports what they may not. Reads the tree, so that a
 * mistake elsewhere in the service hides no reference.
 */
export function readPipelines(
  components: ConfiguredComponents,
  registry: Registry,
  root: Tree,
  report: Report,
): Pipelines {
  return new References(components, registry, root, report).read()
}

type Role = 'receivers' | 'processors' | 'exporters'

class References {
  readonly #components: ConfiguredComponents
  readonly #registry: Registry
  readonly #root: Tree
  readonly #report: Report
  readonly #used = Object.fromEntries(SECTIONS.map((section) => [section, new Set<string>()])) as Record<
    Section,
    Set<string>
  >

  /** Section, id and signal of what `checkSignal` was asked about. */
  readonly #checked = new Set<string>()

  constructor(components: ConfiguredComponents, registry: Registry, root: Tree, report: Report) {
    this.#components = components
    this.#registry = registry
    this.#root = root
    this.#report = report
  }

  read(): Pipelines {
    const pipelines: ResolvedPipeline[] = []
    const tree = valueAt(this.#root, ['service', 'pipelines'])
    for (const id of tree?.kind === 'map' ? tree.entries.keys() : []) {
      const path = ['service', 'pipelines', id]
      const signal = this.#signal(id, path)
      const resolved = {
        receivers: this.#list('receivers', signal, path),
        processors: this.#list('processors', signal, path),
        exporters: this.#list('exporters', signal, path),
      }
      if (signal !== undefined) pipelines.push({ id, signal, ...resolved })
    }
    for (const [index, id] of this.#ids(['service', 'extensions']) ?? []) {
      this.#resolve('extensions', id, ['service', 'extensions', index])
    }
    return { pipelines, used: this.#used }
  }

  /** Undefined where there is no list although something stands there: that was reported. */
  #ids(path: Path): [index: number, id: string][] | undefined {
    const list = valueAt(this.#root, path)
    if (list === undefined || (isEmpty(list) && !list.broken)) return []
    if (list.kind !== 'list') return undefined
    return list.items.flatMap((item, index): [number, string][] => {
      const id = item.text ?? (item.kind === 'scalar' ? item.value : undefined)
      return typeof id === 'string' ? [[index, id]] : []
    })
  }

  #signal(id: string, path: Path): Signal | undefined {
    const parsed = parseId(id)
    const type = id.split('/')[0] ?? ''
    const signal = SIGNALS.find((name) => name === type)
    const place = keyAt(this.#root, path)
    if (signal === undefined) {
      const message = `a pipeline is of one of the signals ${SIGNALS.join(', ')}${didYouMean(type, SIGNALS)}`
      this.#report.problem('CONFIG_PIPELINE', place, path, message)
    } else if (typeof parsed === 'string') this.#report.problem('CONFIG_ID', place, path, parsed)
    else return signal
    return undefined
  }

  #list(role: Role, signal: Signal | undefined, pipeline: Path): string[] {
    const ids = this.#ids([...pipeline, role])
    if (ids?.length === 0 && role !== 'processors') {
      const at = [...pipeline, role]
      this.#report.problem('CONFIG_PIPELINE', keyAt(this.#root, at), at, `needs at least one ${KIND_OF[role]}`)
    }
    const seen = new Set<string>()
    for (const [index, id] of ids ?? []) {
      const path = [...pipeline, role, index]
      if (seen.has(id)) {
        const message = `"${id}" stands twice in this list; once is enough`
        if (role === 'processors') this.#report.problem('CONFIG_REFERENCE', this.#place(path), path, message)
        else this.#report.warning('CONFIG_REFERENCE', this.#place(path), path, message)
        continue
      }
      seen.add(id)
      const component = this.#resolve(role, id, path)
      if (component !== undefined && signal !== undefined) this.#supports(component, role, signal, path)
    }
    return [...seen]
  }

  /** The component that `id` names in this place; a connector may stand where a receiver or an exporter may. */
  #resolve(role: Role | 'extensions', id: string, path: Path): Configured | undefined {
    const sections: Section[] = role === 'receivers' || role === 'exporters' ? [role, 'connectors'] : [role]
    for (const section of sections) {
      const component = this.#components[section].get(id)
      if (component === undefined) continue
      this.#used[section].add(id)
      return component
    }
    const message = `no ${KIND_OF[role]} "${id}" is configured${this.#wayOut(sections, id)}`
    this.#report.problem('CONFIG_REFERENCE', this.#place(path), path, message)
    return undefined
  }

  #wayOut(sections: readonly Section[], id: string): string {
    const elsewhere = SECTIONS.find((section) => this.#components[section].has(id))
    if (elsewhere !== undefined) return `; there is one under ${elsewhere}`
    const ids = sections.flatMap((section) => [...this.#components[section].keys()])
    const near = didYouMean(id, ids)
    if (near !== '') return near
    const renamed = sections
      .flatMap((section) => [...this.#components[section].values()])
      .find((component) => otherSpellings(component).includes(id))
    if (renamed !== undefined) return `; it is configured as "${renamed.id}", and ids are used as they are written`
    const parsed = parseId(id)
    const known =
      typeof parsed === 'object' &&
      sections.find((section) => this.#registry.find(KIND_OF[section], parsed.type) !== undefined)
    if (known) return `; add "${id}:" under ${known}`
    return ids.length === 0 ? '' : `; there are ${ids.join(', ')}`
  }

  #supports({ definition, config, section, id }: Configured, role: Role, signal: Signal, path: Path): void {
    if (definition === undefined) return
    const kind = KIND_OF[section]
    const end = role === 'exporters' ? 0 : 1
    const signals =
      section === 'connectors'
        ? SIGNALS.filter((candidate) => definition.connects?.some((pair) => pair[end] === candidate))
        : definition.signals
    if (signals.includes(signal)) {
      const question = `${section} ${id} ${signal}`
      if (config === undefined || this.#checked.has(question)) return
      this.#checked.add(question)
      for (const { path: below, message } of definition.checkSignal?.(config, signal) ?? []) {
        const at = [section, id, ...below]
        this.#report.problem('CONFIG_SIGNAL', this.#place(at), at, `${message}; ${formatPath(path)} uses it`)
      }
      return
    }
    const use = section === 'connectors' ? (end === 0 ? 'takes' : 'gives') : 'supports'
    const only = signals.length === 0 ? 'none' : signals.join(', ')
    const message = `the ${kind} "${id}" does not do ${signal}; it ${use} ${only}`
    this.#report.problem('CONFIG_SIGNAL', this.#place(path), path, message)
  }

  #place(path: Path): Place {
    return placeAt(this.#root, path)
  }
}

function otherSpellings({ id, definition }: Configured): string[] {
  if (definition === undefined) return []
  const slash = id.indexOf('/')
  const name = slash === -1 ? '' : id.slice(slash)
  return [definition.type, ...(definition.aliases ?? [])].map((type) => `${type}${name}`)
}
