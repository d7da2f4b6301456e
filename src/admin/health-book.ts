import type { ComponentKind } from '../component/contracts.ts'
import type { ComponentHealth, Health } from '../component/host.ts'
import type { ResolvedConfig } from '../config/resolved.ts'
import type { HealthReport } from '../lanes/protocol.ts'

/** What the engine as a whole is doing. */
export type Phase = 'starting' | 'running' | 'stopping' | 'stopped'

const HEALTH_OF_PHASE: Readonly<Record<Exclude<Phase, 'running'>, Health>> = {
  starting: 'starting',
  stopping: 'stopping',
  stopped: 'stopped',
}

interface Entry {
  readonly kind: ComponentKind
  readonly id: string
  readonly pipeline?: string
  /** What instances that are not well said of themselves last, by lane. The first of those that are worst speaks for all. */
  readonly unwell: Map<number, HealthReport>
  /** What is told of it; nothing means that it is well. */
  report: HealthReport | undefined
  reportedAt: number
}

const SEVERITY: Readonly<Record<HealthReport['health'], number>> = { ok: 0, recoverable: 1, permanent: 2, fatal: 3 }

/** Where what runs beside the lanes reports from. */
const HOST = -1

/**
 * The health of every component that runs: what each said of itself, unless the engine as a whole starts or stops. A
 * component that several lanes have is as well as the worst of its instances.
 */
export class HealthBook {
  readonly #entries = new Map<string, Entry>()
  readonly #listeners = new Set<() => void>()
  readonly #now: () => number
  #phase: Phase = 'starting'
  #phaseSince: number

  /** `now` gives milliseconds since the epoch. */
  constructor(config: ResolvedConfig, now: () => number) {
    this.#now = now
    this.#phaseSince = now()
    for (const id of config.service.extensions) this.#add('extension', id)
    for (const { id: pipeline, receivers, processors, exporters } of config.service.pipelines) {
      for (const id of receivers) this.#add(id in config.connectors ? 'connector' : 'receiver', id)
      for (const id of processors) this.#add('processor', id, pipeline)
      for (const id of exporters) this.#add(id in config.connectors ? 'connector' : 'exporter', id)
    }
  }

  get phase(): Phase {
    return this.#phase
  }

  set phase(phase: Phase) {
    if (phase === this.#phase) return
    this.#phase = phase
    this.#phaseSince = this.#now()
    this.#tell()
  }

  /** `lane` is its slot; absent: beside the lanes. */
  take(report: HealthReport, lane = HOST): void {
    const entry = this.#entries.get(keyOf(report))
    if (entry === undefined) return
    if (report.health === 'ok') entry.unwell.delete(lane)
    else entry.unwell.set(lane, report)
    this.#judge(entry, report)
  }

  /** The lane in that slot has ended: nothing of what it said holds any more. */
  forget(lane: number): void {
    for (const entry of this.#entries.values()) {
      const { kind, id } = entry
      if (entry.unwell.delete(lane)) this.#judge(entry, { kind, id, health: 'ok' })
    }
  }

  /** `latest` is what is told where all are well. */
  #judge(entry: Entry, latest: HealthReport): void {
    let worst: HealthReport | undefined
    for (const each of entry.unwell.values())
      if (worst === undefined || SEVERITY[each.health] > SEVERITY[worst.health]) worst = each
    const told = worst ?? latest
    const { report } = entry
    if (report?.health === told.health && report.message === told.message) return
    entry.report = told
    entry.reportedAt = this.#now()
    this.#tell()
  }

  read(): ComponentHealth[] {
    return [...this.#entries.values()].map(({ kind, id, pipeline, report, reportedAt }) => {
      const who = { kind, id, ...(pipeline !== undefined && { pipeline }) }
      // A component that failed for good stays failed while the others stop.
      if (this.#phase !== 'running' && report?.health !== 'fatal') {
        return { ...who, health: HEALTH_OF_PHASE[this.#phase], since: this.#phaseSince }
      }
      if (report === undefined) return { ...who, health: 'ok', since: this.#phaseSince }
      const { health, message } = report
      const since = Math.max(reportedAt, this.#phaseSince)
      return { ...who, health, since, ...(message !== undefined && { message }) }
    })
  }

  /** The returned function ends it. */
  listen(callback: () => void): () => void {
    this.#listeners.add(callback)
    return () => this.#listeners.delete(callback)
  }

  #add(kind: ComponentKind, id: string, pipeline?: string): void {
    const who = { kind, id, ...(pipeline !== undefined && { pipeline }) }
    this.#entries.set(keyOf(who), { ...who, unwell: new Map(), report: undefined, reportedAt: 0 })
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}

function keyOf({ kind, id, pipeline = '' }: Pick<HealthReport, 'kind' | 'id' | 'pipeline'>): string {
  return `${kind} ${id} ${pipeline}`
}
