import { MessageChannel, type Worker } from 'node:worker_threads'
import { Piscina } from 'piscina'
import type { ResolvedConfig } from '../config/resolved.ts'
import { SluiceError } from '../errors.ts'
import type { ComponentState } from '../graph/graph.ts'
import { ThreadMemory } from '../memory/thread-memory.ts'
import { bookInTransit } from '../telemetry/ledger.ts'
import type { LogOptions } from '../telemetry/log.ts'
import { SharedMeter } from '../telemetry/shared-meter.ts'
import type { FinishedSpan } from '../telemetry/tracer.ts'
import { ConnectionShare, MOST_LANES } from '../transport/connection-share.ts'
import type { BoundAddress } from '../transport/port-sharing.ts'
import { closeBooks, type LostItems, type SharedBooks } from './ended-lane.ts'
import { type HealthReport, type Listening, threadOf } from './protocol.ts'
import { RestartBudget } from './restart-budget.ts'
import { type LaneMessage, RunningLane } from './running-lane.ts'
import { siblingModule } from './sibling-module.ts'

/** What lanes run, and where what they tell goes. */
export interface LaneOptions extends SharedBooks {
  /** How many. */
  readonly lanes: number
  /** One more that is lost within a minute is not replaced: the process gives up. */
  readonly restartsPerMinute: number
  readonly config: ResolvedConfig
  readonly log: LogOptions
  /** Takes what components of the lane in a slot say about their health. */
  readonly onHealth?: (report: HealthReport, lane: number) => void
  /** Takes their log lines, where those are sent on. */
  readonly onLogLine?: (line: string) => void
  readonly onSpans?: (spans: readonly FinishedSpan[]) => void
  /** How many have started and not ended, whenever that changes. */
  readonly onLanes?: (running: number) => void
  /** The lane in a slot has ended, whatever the reason: nothing that its components said of their health holds any more. */
  readonly onGone?: (lane: number) => void
  /** A lane has ended that nobody had asked to, and its thread writes nothing any more. */
  readonly onLost?: (lost: LostLane) => void
}

/** A lane that was lost. */
export interface LostLane {
  readonly lane: number
  readonly reason: SluiceError
  /** What it held, booked as failed(lane_lost). */
  readonly items: LostItems
  /** Another takes its place at once. */
  readonly replaced: boolean
}

/**
 * Passing data makes next to nothing but what sockets read, which `garbage.ts` frees: V8's usual young generation of 48 MiB would only keep
 * 20 MiB more resident. In one of 6 MiB what many small requests have under way does not fit, is promoted and collected
 * with the whole heap: 1.17x the CPU on bench case `spans-small-grpc`. V8 takes a third of it as one semi-space.
 */
const YOUNG_GENERATION_MB = 24

/** How much longer than it may a stop takes before the lane is given up. */
const LATE_MS = 2000
/** How long a lane may take to end at once: a starved thread hears late, and one that is stuck never. */
const DEAF_MS = 10_000

/** How often the main thread says how much memory it uses, once somebody reads it. It has little that changes. */
const PUBLISH_MS = 1000

/**
 * Owns the threads that pipelines run in. It touches no telemetry: it starts lanes, replaces those that are lost, tells them
 * of each other and to stop, and keeps the memory their meters write to.
 *
 * The pool is Piscina's, one never-ending task a thread. `atomics: 'disabled'` because its wait between tasks blocks the
 * thread's event loop, and with it every socket.
 */
export class Supervisor {
  readonly #pool: Piscina
  readonly #lanes = new Map<number, RunningLane>()
  readonly #connections = ConnectionShare.memory()
  readonly #ports: BoundAddress[] = []
  /** How many lanes each slot has had. */
  readonly #generations = new Map<number, number>()
  /** What lanes held that retired, by slot, until another takes their place. */
  readonly #state = new Map<number, readonly ComponentState[]>()
  readonly #retiring = new WeakSet<RunningLane>()
  readonly #ended = Promise.withResolvers<void>()
  #options: LaneOptions | undefined
  #restarts = new RestartBudget(0)
  #publishing: NodeJS.Timeout | undefined
  /** The first lane has started: from now on those that are lost are replaced. */
  #established = false
  #stopping = false

  /**
   * Starts a thread, which loads its modules while the configuration is still being read. `components` is the URL of the
   * module whose default export lists the components. `heapMb` bounds the heap of each lane; by default V8 does.
   */
  constructor(components: string, heapMb?: number) {
    this.#pool = new Piscina({
      filename: siblingModule(import.meta.url, 'lane'),
      // The same components as here, so that the lane finds what the configuration names.
      argv: [components],
      minThreads: 1,
      // A lane that takes the place of another may come before the thread of that one has gone.
      maxThreads: 2 * MOST_LANES,
      atomics: 'disabled',
      resourceLimits: {
        maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
        ...(heapMb !== undefined && { maxOldGenerationSizeMb: heapMb }),
      },
      // The lane ends by itself; a thread without a task is not kept.
      idleTimeout: 0,
    })
    // Of a thread that ran out of memory when its lane was done with it: it has nothing any more.
    this.#pool.on('error', () => {})
    // Whoever runs or stops looks at it; until then a rejection is not an unhandled one.
    this.#ended.promise.catch(() => {})
  }

  /**
   * Resolves with what listens once the first lane has started, and starts the others; rejects with the first reason why
   * not.
   */
  async start(options: LaneOptions): Promise<readonly Listening[]> {
    this.#options = options
    this.#restarts = new RestartBudget(options.restartsPerMinute)
    const first = this.#begin(0, 0)
    let listening: readonly Listening[]
    try {
      listening = await first.started
    } catch (error) {
      await this.#pool.destroy()
      throw error
    }
    this.#established = true
    for (let lane = 1; lane < options.lanes && !this.#stopping; lane++) this.#begin(lane, 0)
    return listening
  }

  /** Resolves when every lane that there is has started. */
  async complete(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map(({ started }) => started))
  }

  /** Resolves when the first lane is warm: data that comes now takes its usual time. */
  async ready(): Promise<void> {
    for (let first = this.#lanes.get(0); first !== undefined; first = this.#lanes.get(0)) {
      await first.ready
      if (first.runs) return
      // Lost before it was warm; what takes its place is cold.
      await first.ended
    }
  }

  /** Settles when it is over: normally after `stop`, with LANE_LOST when more lanes were lost than are replaced. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  /** The threads that lanes run in now, by slot. */
  get threads(): ReadonlyMap<number, Worker> {
    const threads = new Map<number, Worker>()
    for (const [lane, running] of [...this.#lanes].sort(([a], [b]) => a - b)) {
      const worker = this.#pool.threads.find(({ threadId }) => threadId === running.thread)
      if (worker !== undefined) threads.set(lane, worker)
    }
    return threads
  }

  /** How many connections each lane that runs has, at ports that lanes share; by slot. */
  get connections(): ReadonlyMap<number, number> {
    return new Map(this.#running().map(({ lane }) => [lane, ConnectionShare.of(this.#connections, lane)]))
  }

  /**
   * Starts a lane in the lowest slot that one has retired from. There are no more slots than at the start: keyed state is
   * divided by them. Resolves with the slot once it has started; rejects where that start fails, and then it is tried again
   * like any lane that is lost.
   */
  async add(): Promise<number> {
    const slots = this.#options?.lanes ?? 0
    let lane = 0
    while (this.#lanes.has(lane)) lane++
    if (lane >= slots) throw new RangeError(`there are ${slots} slots, and each has a lane`)
    await this.#begin(lane, this.#generations.get(lane) ?? 0).started
    return lane
  }

  /**
   * Drains the lane in a slot for at most `timeoutMs` and ends it; nothing takes its place, until another is added there,
   * which gets the state of its components. Resolves when its thread has ended, too. The first lane takes along what
   * runs in it alone, until another is added, which gets its slot. Not the last one: that is what `stop` is for.
   */
  async retire(lane: number, timeoutMs: number): Promise<void> {
    const leaving = this.#lanes.get(lane)
    if (!leaving?.runs) throw new RangeError(`no lane runs in slot ${lane}`)
    const others = this.#running().filter((other) => other !== leaving)
    if (others.length === 0) throw new RangeError('the last lane cannot retire; stop all')
    for (const other of others) other.tell({ type: 'peerLeaves', lane })
    this.#retiring.add(leaving)
    const thread = this.threads.get(lane)
    await this.#drain(leaving, timeoutMs, true)
    // Else the pool may give it to the next lane, with all that this one left behind.
    await thread?.terminate()
  }

  /** Ends a lane at once, as if it had been lost: for tests, and for one that hears nothing any more. */
  async kill(lane: number): Promise<void> {
    const running = this.#lanes.get(lane)
    if (running === undefined) return
    running.tell({ type: 'die' })
    // Ended from outside while it reads, node:http2 may take the process along (crash.ts): only where nothing else helps.
    const deaf = setTimeout(() => void this.threads.get(lane)?.terminate(), DEAF_MS)
    await running.ended
    clearTimeout(deaf)
  }

  /** Stops receivers first, drains for at most `timeoutMs`, then ends the threads. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping = true
    const stops = [...this.#lanes.values()].map((running) => ({
      running,
      drained: this.#drain(running, timeoutMs, false),
    }))
    // One that still loads its modules holds nothing, and hears of the stop before it starts. Nobody waits for it, but those
    // that have begun meanwhile are heard to their end.
    for (let round = 0; round < 2; round++) {
      const begun = stops.filter(({ running }) => running.thread !== undefined)
      await Promise.all(begun.map(({ drained }) => drained))
    }
    clearInterval(this.#publishing)
    await this.#pool.destroy()
    if (this.#options !== undefined) bookInTransit(this.#options.meter, this.#options.registry.read())
    this.#ended.resolve()
  }

  /** Has it stop, and ends its thread where it does not: one that is stuck hears nothing. */
  async #drain(running: RunningLane, timeoutMs: number, handOver: boolean): Promise<void> {
    running.tell({ type: 'stop', timeoutMs, handOver })
    const late = setTimeout(() => void this.kill(running.lane), timeoutMs + LATE_MS)
    await running.ended
    clearTimeout(late)
  }

  #begin(lane: number, generation: number): RunningLane {
    const { lanes, config, log, registry, admission, memory, board } = this.#options!
    this.#generations.set(lane, generation + 1)
    const meter = SharedMeter.memory()
    const announce = registry.attach(meter)
    const running = new RunningLane(
      this.#pool,
      {
        lane,
        lanes,
        generation,
        config,
        log,
        meter,
        admission,
        memory,
        board,
        ports: this.#ports,
        connections: this.#connections,
      },
      (message) => {
        if (message.type === 'series') announce(message.series)
        else this.#hear(lane, message)
      },
    )
    this.#lanes.set(lane, running)
    running.started.then(
      () => {
        // Before it gets data of others that belongs to it.
        const state = this.#state.get(lane)
        this.#state.delete(lane)
        if (state !== undefined) running.tell({ type: 'state', state })
        this.#introduce(running)
        this.#count()
      },
      () => {},
    )
    void running.ended.then((reason) => this.#over(running, reason, meter))
    return running
  }

  #count(): void {
    this.#options?.onLanes?.(this.#running().length)
  }

  #running(): RunningLane[] {
    return [...this.#lanes.values()].filter(({ runs }) => runs)
  }

  #hear(lane: number, message: Exclude<LaneMessage, { readonly type: 'series' }>): void {
    const { memory, onHealth, onLogLine, onSpans } = this.#options!
    switch (message.type) {
      case 'watchMemory':
        if (this.#publishing === undefined) this.#publish(new ThreadMemory(memory, 0))
        break
      case 'state':
        this.#state.set(lane, [...(this.#state.get(lane) ?? []), message.state])
        break
      case 'bound':
        this.#ports.push(message.bound)
        break
      case 'health':
        onHealth?.(message.report, lane)
        break
      case 'spans':
        onSpans?.(message.spans)
        break
      case 'log':
        onLogLine?.(message.line)
        break
    }
  }

  #publish(own: ThreadMemory): void {
    own.publish()
    this.#publishing = setInterval(() => own.publish(), PUBLISH_MS)
    this.#publishing.unref()
  }

  /** Gives a lane that has just started and every other that runs ports to each other. */
  #introduce(one: RunningLane): void {
    for (const other of this.#running()) {
      if (other === one || !one.runs) continue
      const { port1, port2 } = new MessageChannel()
      one.tell({ type: 'peer', lane: other.lane, port: port1 }, [port1])
      other.tell({ type: 'peer', lane: one.lane, port: port2 }, [port2])
    }
  }

  #over(ended: RunningLane, reason: SluiceError | undefined, meter: SharedArrayBuffer): void {
    const { lane, generation } = ended
    this.#lanes.delete(lane)
    this.#count()
    ConnectionShare.forget(this.#connections, lane)
    for (const other of this.#running()) other.tell({ type: 'peerGone', lane })
    const lost = reason !== undefined && ended.thread !== undefined
    this.#options!.onGone?.(lane)
    const items = closeBooks(this.#options!, threadOf(lane), meter, lost)
    // Whoever starts hears of a start that fails; what is cut off while it loads its modules has held nothing.
    if (reason === undefined || !this.#established || (this.#stopping && ended.thread === undefined)) return
    const { onLost, restartsPerMinute } = this.#options!
    const leaving = this.#stopping || this.#retiring.has(ended)
    const replaced = !leaving && this.#restarts.spend(performance.now())
    onLost?.({ lane, reason, items, replaced })
    if (replaced) {
      this.#begin(lane, generation + 1)
    } else if (!leaving) {
      const text =
        restartsPerMinute === 0
          ? `${reason.message}; service.lane_restarts_per_minute is 0`
          : `${reason.message}; it is the one too many within a minute: service.lane_restarts_per_minute is ${restartsPerMinute}`
      this.#ended.reject(new SluiceError('LANE_LOST', text, { cause: reason }))
    }
  }
}
