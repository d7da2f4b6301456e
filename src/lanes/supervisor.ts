import { MessageChannel, receiveMessageOnPort, type Worker } from 'node:worker_threads'
import { Piscina } from 'piscina'
import type { ResolvedConfig } from '../config/resolved.ts'
import { SluiceError } from '../errors.ts'
import { ThreadMemory } from '../memory/thread-memory.ts'
import type { LogOptions } from '../telemetry/log.ts'
import type { MeterRegistry } from '../telemetry/registry.ts'
import { SharedMeter } from '../telemetry/shared-meter.ts'
import type { FinishedSpan } from '../telemetry/tracer.ts'
import type { FromLane, HealthReport, LaneTask, Listening, ToLane } from './protocol.ts'
import { siblingModule } from './sibling-module.ts'

/** What lanes run, and where what they tell goes. */
export interface LaneOptions {
  readonly config: ResolvedConfig
  readonly log: LogOptions
  readonly registry: MeterRegistry
  /** Memory of the byte budget (`Admission.memory`). */
  readonly admission: SharedArrayBuffer
  /** Where threads publish how much memory they use (`ThreadMemory.memory`). */
  readonly memory: SharedArrayBuffer
  /** Takes what components say about their health. */
  readonly onHealth?: (report: HealthReport) => void
  /** Takes their log lines, where those are sent on. */
  readonly onLogLine?: (line: string) => void
  readonly onSpans?: (spans: readonly FinishedSpan[]) => void
}

/**
 * What node:http2 reads comes in ArrayBuffers that live for microseconds, and passing data makes next to nothing else. In
 * V8's usual young generation of 48 MiB they would pile up until their external memory forces a full collection, a
 * dozen a second. In a small one cheap scavenges free them in time: 0.58x the CPU per span on bench case `pass`, 0.75x
 * on `edit`, and 180 instead of 225 MiB resident. V8 takes a third of it as one semi-space.
 */
const YOUNG_GENERATION_MB = 6

/** How often the main thread says how much memory it uses, once somebody reads it. It has little that changes. */
const PUBLISH_MS = 1000

/**
 * Owns the threads that pipelines run in. It touches no telemetry: it starts lanes, tells them to stop and keeps the
 * memory their meters write to.
 *
 * The pool is Piscina's, one never-ending task a thread. `atomics: 'disabled'` because its wait between tasks blocks the
 * thread's event loop, and with it every socket.
 */
export class Supervisor {
  readonly #pool: Piscina
  #lane: RunningLane | undefined

  /**
   * Starts a thread, which loads its modules while the configuration is still being read. `components` is the URL of the
   * module whose default export lists the components.
   */
  constructor(components: string) {
    this.#pool = new Piscina({
      filename: siblingModule(import.meta.url, 'lane'),
      // The same components as here, so that the lane finds what the configuration names.
      argv: [components],
      minThreads: 1,
      maxThreads: 1,
      atomics: 'disabled',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      // The lane ends by itself; a thread without a task is not kept.
      idleTimeout: 0,
    })
  }

  /** Resolves with what listens once everything has started; rejects with the first reason why not. */
  async start(options: LaneOptions): Promise<readonly Listening[]> {
    this.#lane = new RunningLane(this.#pool, options)
    try {
      return await this.#lane.started
    } catch (error) {
      await this.#pool.destroy()
      throw error
    }
  }

  /** Settles when the lane has ended: normally after `stop`, otherwise with the error that ended it. */
  get ended(): Promise<void> {
    return this.#lane?.ended ?? Promise.resolve()
  }

  /** The threads that pipelines run in. */
  get threads(): readonly Worker[] {
    return this.#pool.threads
  }

  /** Stops receivers first, drains for at most `timeoutMs`, then ends the threads. */
  async stop(timeoutMs: number): Promise<void> {
    this.#lane?.stop(timeoutMs)
    await this.#lane?.ended.catch(() => {})
    await this.#pool.destroy()
  }
}

class RunningLane {
  readonly started: Promise<readonly Listening[]>
  readonly ended: Promise<void>
  readonly #port: MessageChannel['port1']

  constructor(pool: Piscina, { config, log, registry, admission, memory, onHealth, onLogLine, onSpans }: LaneOptions) {
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    const meter = SharedMeter.memory()
    const announce = registry.attach(meter)
    const { promise, resolve, reject } = Promise.withResolvers<readonly Listening[]>()
    this.started = promise
    const own = new ThreadMemory(memory, 0)
    let publishing: NodeJS.Timeout | undefined
    const hear = (message: FromLane): void => {
      switch (message.type) {
        case 'series':
          announce(message.series)
          break
        case 'watchMemory':
          clearInterval(publishing)
          own.publish()
          publishing = setInterval(() => own.publish(), PUBLISH_MS)
          publishing.unref()
          break
        case 'health':
          onHealth?.(message.report)
          break
        case 'spans':
          onSpans?.(message.spans)
          break
        case 'log':
          onLogLine?.(message.line)
          break
        case 'started':
          resolve(message.listening)
          break
        case 'failed':
          reject(new SluiceError(message.code, message.message))
          break
      }
    }
    port1.on('message', hear)
    // What the lane said last, the names of series among it, may still wait when the pool already knows that it ended.
    const hangUp = (): void => {
      for (let last = receiveMessageOnPort(port1); last; last = receiveMessageOnPort(port1))
        hear(last.message as FromLane)
      clearInterval(publishing)
      port1.close()
    }
    const task: LaneTask = { config, log, meter, admission, memory, port: port2 }
    this.ended = pool.run(task, { transferList: [port2] }).then(hangUp, (error: unknown) => {
      hangUp()
      const message = error instanceof Error ? error.message : String(error)
      const lost = new SluiceError('LANE_LOST', `a pipeline thread ended: ${message}`, { cause: error })
      reject(lost)
      throw lost
    })
    // Whoever starts or stops looks at these; until then a rejection is not an unhandled one.
    this.ended.catch(() => {})
    this.started.catch(() => {})
  }

  stop(timeoutMs: number): void {
    this.#port.postMessage({ type: 'stop', timeoutMs } satisfies ToLane)
  }
}
