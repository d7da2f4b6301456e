import type {
  Component,
  ComponentContext,
  ComponentKind,
  ConnectorOutputs,
  Deadline,
  Outputs,
} from '../component/contracts.ts'
import type { Definition } from '../component/define.ts'
import type { Consumer } from '../component/delivery.ts'
import { fuse } from '../component/fusion.ts'
import type { NamedProcessor } from '../component/pass.ts'
import type { ResolvedConfig, ResolvedPipeline } from '../config/resolved.ts'
import { SluiceError } from '../errors.ts'
import type { Signal } from '../otlp/batch.ts'
import { entriesOf, PipelineLedger } from '../telemetry/ledger.ts'
import { broadcast, COMPONENT_ERROR, type Defects, entry, exit, guarded, receiverOutput } from './edges.ts'
import { measured, pipelineDuration } from './measured.ts'

/** What the graph needs from whoever runs it. */
export interface GraphEnvironment {
  definition(kind: ComponentKind, type: string): Definition
  /** The context of a component, but for what only the graph knows. */
  context(scope: ContextScope): ComponentContext
  /**
   * The entrance of a pipeline for what receivers bring in, in place of `head`. `sole`: no other pipeline gets the same batches.
   */
  entrance?(pipeline: string, head: Consumer, sole: boolean): Consumer
  /** The lane that the graph is for, from 0; absent: the only one. */
  readonly lane?: number
}

export interface ContextScope {
  readonly kind: ComponentKind
  readonly id: string
  readonly signals: readonly Signal[]
  readonly pipeline?: string
  readonly ledger?: ComponentContext['ledger']
  /** Books of the pipeline a processor belongs to. */
  readonly books?: PipelineLedger
  /** What the graph puts around a processor, for whoever hands it deliveries past the graph. */
  readonly guard?: (consumer: Consumer) => Consumer
  extension(id: string): Component | undefined
}

/** A piece of what a component holds, for its namesake in another graph of the same configuration. */
export interface ComponentState {
  /** `processor tail_sampling in traces`, `connector spanmetrics`. */
  readonly component: string
  readonly piece: Uint8Array
}

/** A component that is wired in, with what error messages and the stop report call it. */
interface Node {
  readonly name: string
  readonly component: Component
}

/**
 * The components of one configuration, wired. Built back to front; starts back to front (extensions first) and stops
 * front to back, so that nobody hands on to somebody who is not there.
 */
export class Graph {
  readonly #extensions: Node[] = []
  readonly #exporters: Node[] = []
  /** Processors and connectors in build order: what is nearer to the exporters comes first. */
  readonly #inner: Node[] = []
  readonly #receivers: Node[] = []
  #started: Node[] = []
  #stopping: Promise<void> | undefined

  private constructor() {}

  /** Builds everything and starts nothing. */
  static async build(config: ResolvedConfig, environment: GraphEnvironment): Promise<Graph> {
    const graph = new Graph()
    await new Builder(config, environment, graph).run()
    return graph
  }

  /** Starts every component. When one fails, those already started are stopped again and the error is thrown. */
  async start(deadlineOnFailure: () => Deadline): Promise<void> {
    for (const node of this.#inStartOrder()) {
      try {
        await node.component.start?.()
      } catch (error) {
        await this.stop(deadlineOnFailure())
        throw startFailure(node, error)
      }
      this.#started.push(node)
    }
    for (const { component } of this.#started) component.ready?.()
  }

  /**
   * Stops receivers, then processors and connectors in the order of the data, then exporters, then extensions. Receivers
   * may wait for the outcome of calls under way, and those for the exporters' retries, so after a third of the time the
   * others are stopped beside them. Every error is reported to `onError`; none keeps the rest from stopping.
   * `handOver` takes the state of processors and connectors, for the graph that comes after this one.
   */
  stop(
    deadline: Deadline,
    onError: (component: string, error: unknown) => void = () => {},
    handOver?: (state: ComponentState) => void,
  ): Promise<void> {
    this.#stopping ??= this.#stop(deadline, onError, handOver)
    return this.#stopping
  }

  /** Has a component take in what its namesake gave. Throws what the component does. */
  importState({ component, piece }: ComponentState): void {
    const node = this.#inner.find(({ name }) => name === component)
    if (node?.component.importState === undefined) throw new Error(`no ${component} takes state in`)
    node.component.importState(piece)
  }

  async #stop(
    deadline: Deadline,
    onError: (component: string, error: unknown) => void,
    handOver: ((state: ComponentState) => void) | undefined,
  ): Promise<void> {
    for (const { component } of this.#inStartOrder()) component.stopping?.()
    const stopNode = async ({ name, component }: Node): Promise<void> => {
      try {
        await component.stop?.(deadline)
      } catch (error) {
        onError(name, error)
      }
    }
    const receivers = Promise.all(this.#receivers.map(stopNode))
    await Promise.race([receivers, pause(deadline.remaining() / 3, receivers)])
    for (const node of this.#inner.toReversed()) {
      const { name, component } = node
      try {
        // What is further up may have sent the last data only as it stopped.
        if (handOver) for (const piece of component.exportState?.() ?? []) handOver({ component: name, piece })
      } catch (error) {
        onError(name, error)
      }
      await stopNode(node)
    }
    await Promise.all(this.#exporters.map(stopNode))
    await receivers
    await Promise.all(this.#extensions.map(stopNode))
    this.#started = []
  }

  #inStartOrder(): Node[] {
    return [...this.#extensions, ...this.#exporters, ...this.#inner, ...this.#receivers]
  }

  add(kind: ComponentKind, node: Node): void {
    const nodes = {
      extension: this.#extensions,
      exporter: this.#exporters,
      connector: this.#inner,
      processor: this.#inner,
      receiver: this.#receivers,
    }
    nodes[kind].push(node)
  }
}

/** A timer that does not outlive what it is a limit for. */
function pause(ms: number, until: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    const done = (): void => {
      clearTimeout(timer)
      resolve()
    }
    until.then(done, done)
  })
}

function startFailure({ name }: Node, error: unknown): Error {
  if (error instanceof SluiceError) return new SluiceError(error.code, `${name}: ${error.message}`, { cause: error })
  const message = error instanceof Error ? error.message : String(error)
  return new SluiceError('START_FAILED', `${name}: ${message}`, { cause: error })
}

class Builder {
  readonly #config: ResolvedConfig
  readonly #environment: GraphEnvironment
  readonly #graph: Graph
  readonly #extensions = new Map<string, Component>()
  readonly #sinks = new Map<string, Promise<Consumer>>()
  readonly #pipelines = new Map<string, Promise<Consumer>>()

  constructor(config: ResolvedConfig, environment: GraphEnvironment, graph: Graph) {
    this.#config = config
    this.#environment = environment
    this.#graph = graph
  }

  async run(): Promise<void> {
    const { service } = this.#config
    for (const id of service.extensions) await this.#extension(id)
    for (const pipeline of service.pipelines) await this.#pipeline(pipeline)
    const receivers = new Set(service.pipelines.flatMap((pipeline) => pipeline.receivers))
    for (const id of receivers) if (!(id in this.#config.connectors)) await this.#receiver(id)
  }

  async #extension(id: string): Promise<void> {
    const { config, definition } = this.#lookUp('extension', id)
    // What belongs to the whole process runs beside the lanes.
    if (definition.kind !== 'extension' || definition.place === 'host') return
    const component = await definition.create(config, this.#context({ kind: 'extension', id, signals: [] }))
    this.#extensions.set(id, component)
    this.#graph.add('extension', { name: `extension ${id}`, component })
  }

  /** The consumer at the head of a pipeline; builds what lies behind it first. */
  #pipeline(pipeline: ResolvedPipeline): Promise<Consumer> {
    let head = this.#pipelines.get(pipeline.id)
    if (head === undefined) {
      head = this.#buildPipeline(pipeline)
      this.#pipelines.set(pipeline.id, head)
    }
    return head
  }

  async #buildPipeline({ id: pipeline, signal, processors, exporters }: ResolvedPipeline): Promise<Consumer> {
    const context = this.#environment.context({ ...NOWHERE, kind: 'processor', id: pipeline, signals: [signal] })
    const ledger = new PipelineLedger(context.meter, pipeline)
    const sinks: Consumer[] = []
    for (const id of exporters) sinks.push(await this.#sink(id))
    let next: Consumer = exit(ledger, pipelineDuration(context.meter, pipeline), broadcast(sinks))

    let fused: NamedProcessor[] = []
    const closeFused = (): void => {
      if (fused.length > 0)
        next = fuse(signal, fused.toReversed(), { ledger, log: context.log, meter: context.meter }, next)
      fused = []
    }
    for (const id of processors.toReversed()) {
      const { config, definition } = this.#lookUp('processor', id)
      if (definition.kind !== 'processor') continue
      const defects = (): Defects => ({
        threw(err, items) {
          ledger.failed(COMPONENT_ERROR, items)
          ctx.log.error({ err }, DEFECT)
        },
        // Whoever it handed them on to has booked them.
        settledLate: (items) => ledger.failed(COMPONENT_ERROR, -items),
      })
      const ctx = this.#context({
        kind: 'processor',
        id,
        signals: [signal],
        pipeline,
        books: ledger,
        guard: (consumer) => guarded(`processor ${id}`, consumer, defects()),
        ledger: entriesOf(ledger, id),
      })
      if (definition.record) {
        fused.push({ id, processor: await definition.record(config, ctx) })
      } else {
        closeFused()
        const figures = measured(id, signal, ctx.meter, next)
        const component = await definition.create(config, ctx, figures.next)
        this.#graph.add('processor', { name: `processor ${id} in ${pipeline}`, component })
        next = figures.around(guarded(`processor ${id}`, component, defects()))
      }
    }
    closeFused()
    return entry(ledger, next)
  }

  /** An exporter or connector as the end of pipelines: one instance, however many. */
  #sink(id: string): Promise<Consumer> {
    let sink = this.#sinks.get(id)
    if (sink === undefined) {
      sink = id in this.#config.connectors ? this.#connector(id) : this.#exporter(id)
      this.#sinks.set(id, sink)
    }
    return sink
  }

  async #exporter(id: string): Promise<Consumer> {
    const { config, definition } = this.#lookUp('exporter', id)
    if (definition.kind !== 'exporter') throw new Error(`${id} is no exporter`)
    const ctx = this.#context({ kind: 'exporter', id, signals: this.#signalsInto(id) })
    const component = await definition.create(config, ctx)
    this.#graph.add('exporter', { name: `exporter ${id}`, component })
    return guarded(`exporter ${id}`, component, { threw: (err) => ctx.log.error({ err }, DEFECT) })
  }

  async #connector(id: string): Promise<Consumer> {
    const { config, definition } = this.#lookUp('connector', id)
    if (definition.kind !== 'connector') throw new Error(`${id} is no connector`)
    const fed = this.#config.service.pipelines.filter(({ receivers }) => receivers.includes(id))
    const heads = new Map<string, Consumer>()
    const bySignal = new Map<Signal, Consumer[]>()
    for (const pipeline of fed) {
      const head = await this.#pipeline(pipeline)
      heads.set(pipeline.id, head)
      bySignal.set(pipeline.signal, [...(bySignal.get(pipeline.signal) ?? []), head])
    }
    const broadcasts = new Map([...bySignal].map(([signal, consumers]) => [signal, broadcast(consumers)]))
    const outputs: ConnectorOutputs = {
      to: (signal) => broadcasts.get(signal),
      pipeline: (pipeline) => heads.get(pipeline),
      pipelines: [...heads.keys()],
    }
    const defects: Defects = { threw: (err) => ctx.log.error({ err }, DEFECT) }
    const guard = (consumer: Consumer): Consumer => guarded(`connector ${id}`, consumer, defects)
    const ctx = this.#context({ kind: 'connector', id, signals: this.#signalsInto(id), guard })
    const component = await definition.create(config, ctx, outputs)
    this.#graph.add('connector', { name: `connector ${id}`, component })
    return guard(component)
  }

  async #receiver(id: string): Promise<void> {
    const { config, definition } = this.#lookUp('receiver', id)
    if (definition.kind !== 'receiver') throw new Error(`${id} is no receiver`)
    if (definition.place === 'first' && (this.#environment.lane ?? 0) > 0) return
    const pipelines = this.#config.service.pipelines.filter(({ receivers }) => receivers.includes(id))
    const signals = [...new Set(pipelines.map(({ signal }) => signal))]
    const ctx = this.#context({ kind: 'receiver', id, signals })
    const outputs: Outputs = {}
    for (const signal of signals) {
      const fed = pipelines.filter((pipeline) => pipeline.signal === signal)
      const heads: Consumer[] = []
      for (const pipeline of fed)
        heads.push(this.#entrance(pipeline.id, await this.#pipeline(pipeline), fed.length === 1))
      outputs[signal] = receiverOutput(id, signal, ctx.meter, broadcast(heads))
    }
    const component = await definition.create(config, ctx, outputs)
    this.#graph.add('receiver', { name: `receiver ${id}`, component })
  }

  #entrance(pipeline: string, head: Consumer, sole: boolean): Consumer {
    return this.#environment.entrance?.(pipeline, head, sole) ?? head
  }

  #signalsInto(id: string): Signal[] {
    const into = this.#config.service.pipelines.filter(({ exporters }) => exporters.includes(id))
    return [...new Set(into.map(({ signal }) => signal))]
  }

  #lookUp(kind: ComponentKind, id: string): { readonly config: never; readonly definition: Definition } {
    const found = this.#config[`${kind}s`][id]
    if (found === undefined) throw new Error(`${kind} ${id} is not in the configuration`)
    // The loader has validated `config` against this very definition, whose type parameter is erased here.
    return { config: found.config as never, definition: this.#environment.definition(kind, found.type) }
  }

  #context(scope: Omit<ContextScope, 'extension'>): ComponentContext {
    return this.#environment.context({ ...scope, extension: (id) => this.#extensions.get(id) })
  }
}

const DEFECT = 'a batch was refused because the component threw: a defect of it'

const NOWHERE = { extension: () => undefined }
