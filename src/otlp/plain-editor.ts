import type { Signal } from './batch.ts'
import type { DataPointCursor, LogCursor, MetricCursor, ResourceCursor, ScopeCursor, SpanCursor } from './cursors.ts'
import { type PlainMessage, readPlain } from './plain.ts'
import { PlainLog, PlainResource, PlainScope, PlainSpan, type Walk } from './plain-cursors.ts'
import { childrenOf, removeChild } from './plain-fields.ts'
import { dataOf, PlainDataPoint, PlainMetric } from './plain-metric-cursors.ts'

type LevelName = 'resource' | 'scope' | 'metric' | 'record'

/** One level of the walk. */
interface Level {
  readonly name: LevelName
  /** Those to come. */
  waiting: PlainMessage[]
  current: PlainMessage | undefined
}

/** Names of the lists from the request down, by signal. */
const LISTS = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics', 'dataPoints'],
} as const satisfies Partial<Record<Signal, readonly string[]>>

/**
 * `Editor` on the plain path: the same walk, cursors and result, on a tree that every edit changes at once. The oracle of the
 * fast one's tests, and the definition of what it does.
 */
export class PlainEditor {
  readonly resource: ResourceCursor
  readonly scope: ScopeCursor
  readonly metric: MetricCursor
  readonly span: SpanCursor
  readonly log: LogCursor
  readonly point: DataPointCursor
  /** Items dropped since `open`. */
  dropped = 0
  readonly #signal: keyof typeof LISTS
  readonly #cursors: Readonly<Record<'resource' | 'scope' | 'metric', { node: PlainMessage }>>
  readonly #records: readonly { node: PlainMessage }[]
  readonly #levels: readonly Level[]
  #request: PlainMessage | undefined
  #chunk: Uint8Array | undefined
  #changed = false

  constructor(signal: keyof typeof LISTS) {
    this.#signal = signal
    const walk: Walk = {
      touch: () => {
        this.#changed = true
      },
      drop: (level) => this.#drop(level),
    }
    const resource = new PlainResource(walk)
    const scope = new PlainScope(walk, resource)
    const metric = new PlainMetric(walk, scope)
    const span = new PlainSpan(walk, scope)
    const log = new PlainLog(walk, scope)
    const point = new PlainDataPoint(walk, metric)
    this.resource = resource
    this.scope = scope
    this.metric = metric
    this.span = span
    this.log = log
    this.point = point
    this.#cursors = { resource, scope, metric }
    this.#records = [span, log, point]
    const names: LevelName[] =
      signal === 'metrics' ? ['resource', 'scope', 'metric', 'record'] : ['resource', 'scope', 'record']
    this.#levels = names.map((name) => ({ name, waiting: [], current: undefined }))
  }

  /** Begins with a request. Throws WireError. */
  open(chunk: Uint8Array): void {
    this.#chunk = chunk
    this.#request = readPlain(this.#signal, chunk).canonical()
    this.#changed = false
    this.dropped = 0
    for (const level of this.#levels) {
      level.waiting = []
      level.current = undefined
    }
    this.#levels[0]!.waiting = this.#childrenOf(-1, this.#request)
  }

  nextResource(): boolean {
    return this.#step('resource')
  }

  nextScope(): boolean {
    return this.#step('scope')
  }

  nextMetric(): boolean {
    return this.#step('metric')
  }

  nextRecord(): boolean {
    return this.#step('record')
  }

  get resourceDropped(): boolean {
    return this.#isGone('resource')
  }

  get scopeDropped(): boolean {
    return this.#isGone('scope')
  }

  get metricDropped(): boolean {
    return this.#isGone('metric')
  }

  get recordDropped(): boolean {
    return this.#isGone('record')
  }

  finish(): { readonly chunk: Uint8Array | undefined; readonly unchanged: boolean; readonly dropped: number } {
    const { dropped } = this
    if (!this.#changed) return { chunk: this.#chunk, unchanged: true, dropped }
    const chunk = this.#request!.write()
    return { chunk: chunk.length > 0 ? chunk : undefined, unchanged: false, dropped }
  }

  abort(): void {
    this.#request = undefined
  }

  /** What holds the children of `message`, which stands at `level`: a metric's points lie one message further down. */
  #holder(level: number, message: PlainMessage): PlainMessage | undefined {
    return this.#levels[level]?.name === 'metric' ? dataOf(message) : message
  }

  #childrenOf(level: number, message: PlainMessage): PlainMessage[] {
    return childrenOf(this.#holder(level, message), LISTS[this.#signal][level + 1]!)
  }

  #step(name: LevelName): boolean {
    const index = this.#index(name)
    const level = this.#levels[index]!
    if (index > 0 && this.#levels[index - 1]!.current === undefined) return false
    const next = level.waiting.shift()
    level.current = next
    for (const below of this.#levels.slice(index + 1)) {
      below.waiting = []
      below.current = undefined
    }
    if (next === undefined) return false
    if (name === 'record') for (const cursor of this.#records) cursor.node = next
    else {
      this.#cursors[name].node = next
      this.#levels[index + 1]!.waiting = this.#childrenOf(index, next)
    }
    return true
  }

  #index(name: LevelName): number {
    return this.#levels.findIndex((level) => level.name === name)
  }

  #isGone(name: LevelName): boolean {
    return this.#levels[this.#index(name)]!.current === undefined
  }

  #drop(name: LevelName): void {
    const index = this.#index(name)
    const level = this.#levels[index]!
    if (level.current === undefined) return
    this.#changed = true
    this.dropped += this.#count(index, level.current)
    this.#remove(index)
    for (const below of this.#levels.slice(index)) {
      below.current = undefined
      if (below !== level) below.waiting = []
    }
  }

  /** Takes the current message of a level out of what holds it, which goes as well if that was the last one in it. */
  #remove(index: number): void {
    const parent = index === 0 ? this.#request! : this.#levels[index - 1]!.current!
    removeChild(this.#holder(index - 1, parent)!, this.#levels[index]!.current!)
    if (index > 0 && this.#childrenOf(index - 1, parent).length === 0) this.#remove(index - 1)
  }

  #count(index: number, message: PlainMessage): number {
    if (this.#levels[index]!.name === 'record') return 1
    return this.#childrenOf(index, message).reduce((sum, child) => sum + this.#count(index + 1, child), 0)
  }
}
