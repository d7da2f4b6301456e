import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import { SluiceError } from '../errors.ts'
import type { FromLane, LaneTask, Listening, ToLane } from './protocol.ts'
import { laneName } from './protocol.ts'

/** What `RunningLane` keeps to itself of what a lane says. */
type OwnMessage = Extract<FromLane, { readonly type: 'hello' | 'started' | 'ready' | 'crashed' | 'failed' }>
export type LaneMessage = Exclude<FromLane, OwnMessage>

/** One lane that runs, seen from the supervisor. */
export class RunningLane {
  readonly lane: number
  readonly generation: number
  /** Resolves with what listens; rejects when it ends before that. */
  readonly started: Promise<readonly Listening[]>
  /** Resolves when it is warm as well, or has ended. */
  readonly ready: Promise<void>
  /**
   * Resolves when its thread is done with it: with the reason where nobody had asked for that, and only when the thread has
   * ended, so that nothing of it runs any more, not even a write that it had begun.
   */
  readonly ended: Promise<SluiceError | undefined>
  readonly #port: MessagePort
  #thread: number | undefined
  #runs = false

  /** `hear` takes what it says until it has ended, which includes what it said last before it was lost. */
  constructor(pool: Piscina, task: Omit<LaneTask, 'port'>, hear: (message: LaneMessage) => void) {
    this.lane = task.lane
    this.generation = task.generation
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    const { promise, resolve, reject } = Promise.withResolvers<readonly Listening[]>()
    this.started = promise
    const warm = Promise.withResolvers<void>()
    this.ready = warm.promise
    let failure: SluiceError | undefined
    let crash: unknown
    let worker: Worker | undefined
    const take = (message: FromLane): void => {
      switch (message.type) {
        case 'hello':
          this.#thread = message.thread
          worker = pool.threads.find(({ threadId }) => threadId === message.thread)
          break
        case 'started':
          this.#runs = true
          resolve(message.listening)
          break
        case 'ready':
          warm.resolve()
          break
        case 'crashed':
          crash = message.error
          break
        case 'failed':
          failure = new SluiceError(message.code, message.message)
          break
        default:
          hear(message)
      }
    }
    port1.on('message', take)
    // What the lane said last, the names of series among it, may still wait when the pool already knows that it ended.
    const hangUp = (error?: unknown): SluiceError | undefined => {
      this.#runs = false
      for (let last = receiveMessageOnPort(port1); last; last = receiveMessageOnPort(port1))
        take(last.message as FromLane)
      port1.close()
      const cause = crash ?? error
      if (cause !== undefined) failure ??= lostBy(this.lane, cause)
      warm.resolve()
      reject(failure ?? new SluiceError('LANE_LOST', `${laneName(this.lane)} was stopped before it had started`))
      return failure
    }
    this.ended = pool.run({ ...task, port: port2 } satisfies LaneTask, { transferList: [port2] }).then(
      async () => {
        hangUp()
        // Of a start that failed something may still close.
        if (failure !== undefined) await worker?.terminate()
        return failure
      },
      async (error: unknown) => {
        // The pool hears of what the thread threw before that has come to its end.
        await worker?.terminate()
        return hangUp(error)
      },
    )
    // Whoever starts looks at it; until then a rejection is not an unhandled one.
    this.started.catch(() => {})
  }

  /** Node's id of its thread; undefined until the thread has loaded its modules. */
  get thread(): number | undefined {
    return this.#thread
  }

  /** It has started and not ended. */
  get runs(): boolean {
    return this.#runs
  }

  tell(message: ToLane, transfer: readonly MessagePort[] = []): void {
    this.#port.postMessage(message, transfer)
  }
}

function lostBy(lane: number, cause: unknown): SluiceError {
  const message = cause instanceof Error ? cause.message : String(cause)
  return new SluiceError('LANE_LOST', `the thread ${laneName(lane)} ended: ${message}`, { cause })
}
