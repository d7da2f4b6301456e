import type { Batch } from '../../src/otlp/batch.ts'
import type { QueueConfig, RetryConfig } from '../../src/queue/fields.ts'
import type { Send, SendOptions, SendResult } from '../../src/queue/send.ts'

/** The Collector's defaults, but for the waits: exact, so that tests can say when. */
export function queueConfig(overrides: Partial<QueueConfig> = {}): QueueConfig {
  return { enabled: true, num_consumers: 10, queue_size: 1000, sizer: 'requests', wait_for_result: false, ...overrides }
}

export function retryConfig(overrides: Partial<RetryConfig> = {}): RetryConfig {
  return {
    enabled: true,
    initial_interval: 5000,
    randomization_factor: 0,
    multiplier: 1.5,
    max_interval: 30_000,
    max_elapsed_time: 300_000,
    ...overrides,
  }
}

export interface Attempt {
  readonly batch: Batch
  readonly options: SendOptions
  end(result: SendResult): void
}

/** A peer that answers when the test says so, or at once where `answers` is set. */
export class FakePeer {
  readonly attempts: Attempt[] = []
  answers: ((attempt: number) => SendResult) | undefined

  readonly send: Send = (batch, options) =>
    new Promise((resolve) => {
      this.attempts.push({ batch, options, end: resolve })
      if (this.answers !== undefined) resolve(this.answers(this.attempts.length))
    })
}

export const UNREACHABLE: SendResult = {
  ok: false,
  verdict: 'retry',
  reason: 'unreachable',
  message: 'cannot reach 127.0.0.1:4317: ECONNREFUSED',
}
export const REJECTED: SendResult = {
  ok: false,
  verdict: 'reject',
  reason: 'rejected',
  message: 'the peer said: no such tenant',
  grpcStatus: 7,
}
export const OK: SendResult = { ok: true }
