import { SIGNALS, type Signal } from '../otlp/batch.ts'
import type { Configured, ConfiguredComponents } from './components.ts'
import { parseId } from './components.ts'
import { didYouMean } from './nearest.ts'
import type { Report } from './problem.ts'
import { KIND_OF } from './registry.ts'
import { type ResolvedPipeline, SECTIONS, type Section } from './resolved.ts'
import type { Service } from './service.ts'
import { keyAt, type Path, type Place, placeAt, type Tree } from './tree.ts'

export interface Pipelines {
  readonly pipelines: readonly ResolvedPipeline[]
  /** By section, the ids that a pipeline or the service refers to. */
  readonly used: Readonly<Record<Section, ReadonlySet<string>>>
}

/** Resolves what the pipelines and `service.extensions` refer to, and reports what they may not. */
export function readPipelines(
  service: Service,
  components: ConfiguredComponents,
  root: Tree,
  report: Report,
): Pipelines {
  return new References(components, root, report).read(service)
}

type Role = 'receivers' | 'processors' | 'exporters'

class References {
  readonly #components: ConfiguredComponents
  readonly #root: Tree
  readonly #report: Report
  readonly #used = Object.fromEntries(SECTIONS.map((section) => [section, new Set<string>()])) as Record<
    Section,
    Set<string>
  >

  constructor(components: ConfiguredComponents, root: Tree, report: Report) {
    this.#components = components
    this.#root = root
    this.#report = report
  }

  read(service: Service): Pipelines {
    const pipelines: ResolvedPipeline[] = []
    for (const [id, lists] of Object.entries(service.pipelines)) {
      const path = ['service', 'pipelines', id]
      const signal = this.#signal(id, path)
      const resolved = {
        receivers: this.#list('receivers', lists?.receivers ?? [], signal, path),
        processors: this.#list('processors', lists?.processors ?? [], signal, path),
        exporters: this.#list('exporters', lists?.exporters ?? [], signal, path),
      }
      for (const role of ['receivers', 'exporters'] as const) {
        if (resolved[role].length > 0) continue
        const at = keyAt(this.#root, [...path, role])
        this.#report.problem('CONFIG_PIPELINE', at, [...path, role], `needs at least one ${role.slice(0, -1)}`)
      }
      if (signal !== undefined) pipelines.push({ id, signal, ...resolved })
    }
    for (const [index, id] of service.extensions.entries()) {
      this.#resolve('extensions', id, ['service', 'extensions', index])
    }
    return { pipelines, used: this.#used }
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

  #list(role: Role, ids: readonly string[], signal: Signal | undefined, pipeline: Path): string[] {
    const seen = new Set<string>()
    for (const [index, id] of ids.entries()) {
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
    return ids.length === 0 ? '' : `; there are ${ids.join(', ')}`
  }

  #supports({ definition, section, id }: Configured, role: Role, signal: Signal, path: Path): void {
    if (definition === undefined) return
    const kind = KIND_OF[section]
    const end = role === 'exporters' ? 0 : 1
    const signals =
      section === 'connectors'
        ? SIGNALS.filter((candidate) => definition.connects?.some((pair) => pair[end] === candidate))
        : definition.signals
    if (signals.includes(signal)) return
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
