import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { LONGEST_TIMER_MS } from '../clock.ts'
import { joined } from './compression.ts'
import type { HttpAnswer } from './http-answer.ts'

/** How long a caller waits for the answer to a request, redirections included. */
export class Patience {
  expired = false
  readonly #timer: NodeJS.Timeout | undefined
  #controller: AbortController | undefined
  #listener: (() => void) | undefined

  /** `ms`: 0 for no limit. */
  constructor(ms: number) {
    if (ms > 0) this.#timer = setTimeout(() => this.#expire(), Math.min(ms, LONGEST_TIMER_MS))
  }

  /** Aborts when it ends; made when asked for. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.expired) this.#controller.abort()
    return this.#controller.signal
  }

  /** Calls back when it ends, at once where it has; one at a time, undefined for none. */
  listen(listener: (() => void) | undefined): void {
    this.#listener = listener
    if (this.expired) listener?.()
  }

  /** The answer is there. */
  end(): void {
    clearTimeout(this.#timer)
    this.#listener = undefined
  }

  #expire(): void {
    this.expired = true
    this.#controller?.abort()
    this.#listener?.()
  }
}

export interface ExchangeOptions {
  /** Bytes of the answer that are read. */
  readonly limit: number
  readonly patience: Patience
  /** Called when undici has done with the request, which may be after its caller has lost patience. */
  readonly over: () => void
}

/**
 * One request and its answer by undici's own interface, without the stream, the signal and the promises that its `request` makes of
 * it: half of what a request of 10 spans costs. Rejects with why there is no answer.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  options: ExchangeOptions,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    dispatcher.dispatch(request, new Exchange(options, resolve, reject))
  })
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #options: ExchangeOptions
  readonly #resolve: (answer: HttpAnswer) => void
  readonly #reject: (error: Error) => void
  /** From when a connection takes the request. */
  #controller: Dispatcher.DispatchController | undefined
  #statusCode = 0
  #headers: IncomingHttpHeaders = {}
  readonly #parts: Uint8Array[] = []
  #length = 0
  #gaveUp: Error | undefined

  constructor(options: ExchangeOptions, resolve: (answer: HttpAnswer) => void, reject: (error: Error) => void) {
    this.#options = options
    this.#resolve = resolve
    this.#reject = reject
    options.patience.listen(() => this.#giveUp())
  }

  #giveUp(): void {
    this.#gaveUp = new Error('the request was given up')
    this.#reject(this.#gaveUp)
    this.#controller?.abort(this.#gaveUp)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#gaveUp !== undefined) controller.abort(this.#gaveUp)
  }

  onResponseStart(_controller: Dispatcher.DispatchController, statusCode: number, headers: IncomingHttpHeaders): void {
    // 1xx come before the answer.
    if (statusCode < 200) return
    this.#statusCode = statusCode
    this.#headers = headers
  }

  onResponseData(controller: Dispatcher.DispatchController, part: Buffer): void {
    const { limit } = this.#options
    this.#parts.push(part.subarray(0, limit - this.#length))
    this.#length += part.length
    if (this.#length < limit) return
    // What comes after it is nobody's, and goes with the connection.
    this.#answer()
    controller.abort(new Error('the answer is long enough'))
  }

  onResponseEnd(): void {
    this.#answer()
    this.#options.over()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#options.patience.listen(undefined)
    this.#reject(error)
    this.#options.over()
  }

  #answer(): void {
    this.#options.patience.listen(undefined)
    this.#resolve({ statusCode: this.#statusCode, headers: this.#headers, content: joined(this.#parts) })
  }
}
