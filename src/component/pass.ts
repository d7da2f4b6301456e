import type { Logger } from 'pino'
import type { Signal } from '../otlp/batch.ts'
import type { DataPointCursor, MetricCursor } from '../otlp/cursors.ts'
import type { Editor } from '../otlp/editor.ts'
import { editorFor } from '../otlp/editors.ts'
import type { MetricEditor } from '../otlp/metric-editor.ts'
import type { PipelineLedger } from '../telemetry/ledger.ts'
import type { Counter, Meter } from '../telemetry/meter.ts'
import type { RecordProcessor } from './record-processor.ts'

/** A record processor and the id that its metrics and the ledger's drops carry. */
export interface NamedProcessor {
  readonly id: string
  readonly processor: RecordProcessor
}

/** What a pass made of a batch. `chunks` is the very list that came in where nothing was touched. */
export interface PassResult {
  readonly chunks: readonly Uint8Array[]
  readonly items: number
}

/** One processor's hook of one level: its place in the run, and the hook. */
interface Hook<C> {
  readonly index: number
  call(cursor: C): void
}

/**
 * Record processors that share one scan and one write. `run` may be followed by `commit`, which counts what was done and
 * lets the processors do the same, or by `abort`, which forgets it.
 */
export class Pass {
  readonly #run: readonly NamedProcessor[]
  readonly #counters: readonly { readonly incoming: Counter; readonly outgoing: Counter }[]
  readonly #walk: Walk
  #items = 0

  constructor(signal: Signal, run: readonly NamedProcessor[], meter: Meter) {
    this.#run = run
    this.#walk = walkFor(signal, run)
    this.#counters = run.map(({ id }) => {
      const labels = { processor: id, 'otel.signal': signal }
      const counter = (what: string, description: string): Counter =>
        meter.counter(`otelcol_processor_${what}_items`, labels, { description, unit: '{items}' })
      return {
        incoming: counter('incoming', 'Number of items passed to the processor.'),
        outgoing: counter('outgoing', 'Number of items emitted from the processor.'),
      }
    })
  }

  /** Runs over every chunk. Throws what a hook throws, and WireError where a chunk is malformed. */
  run(chunks: readonly Uint8Array[], items: number): PassResult {
    const walk = this.#walk
    walk.drops.fill(0)
    this.#items = items
    let edited: Uint8Array[] | undefined
    let dropped = 0
    for (let i = 0; i < chunks.length; i++) {
      const chunk = chunks[i]!
      const result = walk.over(chunk)
      dropped += result.dropped
      if (!result.unchanged) edited ??= chunks.slice(0, i)
      if (edited !== undefined && result.chunk !== undefined) edited.push(result.chunk)
    }
    return { chunks: edited ?? chunks, items: items - dropped }
  }

  commit(ledger: PipelineLedger, log: Logger): void {
    let items = this.#items
    for (let i = 0; i < this.#run.length; i++) {
      const { id, processor } = this.#run[i]!
      const counters = this.#counters[i]!
      const dropped = this.#walk.drops[i]!
      counters.incoming.add(items)
      items -= dropped
      counters.outgoing.add(items)
      if (dropped > 0) ledger.dropped(id, DROPPED, dropped)
      try {
        processor.commit?.()
      } catch (err) {
        // The batch itself is sound: what a processor makes of it for itself must not cost it.
        log.error({ err }, `processor ${id} threw while it committed: a defect of it`)
      }
    }
  }

  abort(): void {
    this.#walk.abort()
    for (const { processor } of this.#run) processor.abort?.()
  }
}

/** The ledger's reason for what a record processor's hook dropped; which processor it was is the ledger's `component`. */
const DROPPED = 'by_rule'

/** How one signal's tree is walked with the hooks of a run. */
abstract class Walk {
  /** Items that each processor of the run dropped since they were last cleared. */
  readonly drops: Float64Array
  protected readonly editor: Editor
  readonly #resourceHooks: readonly Hook<Editor['resource']>[]
  readonly #scopeHooks: readonly Hook<Editor['scope']>[]
  /** `editor.dropped` after the hook before. */
  #seen = 0

  constructor(editor: Editor, run: readonly NamedProcessor[]) {
    this.editor = editor
    this.drops = new Float64Array(run.length)
    this.#resourceHooks = hooksOf(run, 'resource')
    this.#scopeHooks = hooksOf(run, 'scope')
  }

  over(chunk: Uint8Array): ReturnType<Editor['finish']> {
    const { editor } = this
    const below = this.hasRecordHooks
    editor.open(chunk)
    this.#seen = 0
    while (editor.nextResource()) {
      for (const hook of this.#resourceHooks) {
        hook.call(editor.resource)
        this.attribute(hook.index)
        if (editor.resourceDropped) break
      }
      if (!below && this.#scopeHooks.length === 0) continue
      while (editor.nextScope()) {
        for (const hook of this.#scopeHooks) {
          hook.call(editor.scope)
          this.attribute(hook.index)
          if (editor.scopeDropped) break
        }
        if (below) this.below()
      }
    }
    return editor.finish()
  }

  abort(): void {
    this.editor.abort()
  }

  protected abstract readonly hasRecordHooks: boolean

  /** Visits everything below the current scope. */
  protected abstract below(): void

  /** Visits the records of the current scope or metric. */
  protected records<C>(cursor: C, hooks: readonly Hook<C>[]): void {
    const { editor } = this
    while (editor.nextRecord()) {
      for (const hook of hooks) {
        hook.call(cursor)
        // A record that is dropped, by itself or with what it lies in, is an item more that is gone.
        if (editor.dropped !== this.#seen) {
          this.attribute(hook.index)
          break
        }
      }
    }
  }

  /** Books what was dropped since the last hook to the processor at `index`. */
  protected attribute(index: number): void {
    const { dropped } = this.editor
    if (dropped === this.#seen) return
    this.drops[index]! += dropped - this.#seen
    this.#seen = dropped
  }
}

type HookName = 'resource' | 'scope' | 'span' | 'log' | 'metric' | 'dataPoint'
type CursorOf<N extends HookName> = Parameters<NonNullable<RecordProcessor[N]>>[0]

function hooksOf<N extends HookName>(run: readonly NamedProcessor[], name: N): Hook<CursorOf<N>>[] {
  const hooks: Hook<CursorOf<N>>[] = []
  run.forEach(({ processor }, index) => {
    const hook = processor[name] as ((cursor: CursorOf<N>) => void) | undefined
    if (hook !== undefined) hooks.push({ index, call: hook.bind(processor) })
  })
  return hooks
}

/** Spans or log records: what lies right below a scope. */
class RecordWalk<C> extends Walk {
  readonly #cursor: C
  readonly #hooks: readonly Hook<C>[]

  constructor(editor: Editor, cursor: C, hooks: readonly Hook<C>[], run: readonly NamedProcessor[]) {
    super(editor, run)
    this.#cursor = cursor
    this.#hooks = hooks
  }

  protected get hasRecordHooks(): boolean {
    return this.#hooks.length > 0
  }

  protected below(): void {
    this.records(this.#cursor, this.#hooks)
  }
}

class MetricWalk extends Walk {
  readonly #metrics: MetricEditor
  readonly #metricHooks: readonly Hook<MetricCursor>[]
  readonly #pointHooks: readonly Hook<DataPointCursor>[]

  constructor(editor: MetricEditor, run: readonly NamedProcessor[]) {
    super(editor, run)
    this.#metrics = editor
    this.#metricHooks = hooksOf(run, 'metric')
    this.#pointHooks = hooksOf(run, 'dataPoint')
  }

  protected get hasRecordHooks(): boolean {
    return this.#metricHooks.length + this.#pointHooks.length > 0
  }

  protected below(): void {
    const editor = this.#metrics
    while (editor.nextMetric()) {
      for (const hook of this.#metricHooks) {
        hook.call(editor.metric)
        this.attribute(hook.index)
        if (editor.metricDropped) break
      }
      if (this.#pointHooks.length > 0) this.records(editor.point, this.#pointHooks)
    }
  }
}

function walkFor(signal: Signal, run: readonly NamedProcessor[]): Walk {
  switch (signal) {
    case 'traces': {
      const editor = editorFor('traces')
      return new RecordWalk(editor, editor.span, hooksOf(run, 'span'), run)
    }
    case 'logs': {
      const editor = editorFor('logs')
      return new RecordWalk(editor, editor.log, hooksOf(run, 'log'), run)
    }
    case 'metrics':
      return new MetricWalk(editorFor('metrics'), run)
    case 'profiles':
      throw new Error('record processors do not see profiles; the configuration should have said so')
  }
}
