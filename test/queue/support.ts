import type { ComponentContext } from '../../src/component/contracts.ts'
import { type Batch, makeBatch } from '../../src/otlp/batch.ts'
import { countItems } from '../../src/otlp/count.ts'
import { type QueuedExporterOptions, queuedExporter } from '../../src/queue/exporter.ts'
import type { QueueConfig, RetryConfig } from '../../src/queue/fields.ts'
import type { Send, SendOptions, SendResult } from '../../src/queue/send.ts'
import { writeProtobufjs } from '../otlp/support/oracles.ts'
import { testContext } from '../support/context.ts'
import { type Tracked, track } from '../support/deliveries.ts'

/** The Collector's defaults, but for the waits: exact, so that tests can say when. */
export function queueConfig(overrides: Partial<QueueConfig> = {}): QueueConfig {
  return {
    enabled: true,
    num_consumers: 10,
    queue_size: 1000,
    queue_size_bytes: undefined,
    sizer: 'requests',
    block_on_overflow: false,
    wait_for_result: false,
    batch: undefined,
    ...overrides,
  }
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
  readonly end: (result: SendResult) => void
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

/** An exporter before a peer that does as the test says. */
export function rig(
  queue: Partial<QueueConfig> = {},
  retry: Partial<RetryConfig> = {},
  options: Partial<Pick<QueuedExporterOptions, 'maxRequestBytes'>> = {},
  place: Partial<Pick<ComponentContext, 'lane' | 'shared'>> = {},
) {
  const ctx = testContext({ id: 'otlp/eu', signals: ['traces', 'logs', 'profiles'], ...place })
  const peer = new FakePeer()
  const exporter = queuedExporter({
    ctx,
    queue: queueConfig(queue),
    retry: retryConfig(retry),
    timeoutMs: 1234,
    send: peer.send,
    ...options,
  })
  const give = (batch: Batch, deadline?: number): Tracked => {
    const tracked = track(batch, deadline)
    exporter.consume(tracked.delivery)
    return tracked
  }
  return { ctx, peer, exporter, give, said: () => ctx.lines.map((line) => `${line.level} ${line.msg}`) }
}

/** A request of as many spans as there are lengths, each with a name that long and of no other content, in one scope. */
export function spansOf(...lengths: number[]): Uint8Array {
  const spans = lengths.map((length) => ({ name: 'x'.repeat(length) }))
  return writeProtobufjs('traces', { resourceSpans: [{ scopeSpans: [{ spans }] }] })
}

export function traces(...chunks: Uint8Array[]): Batch {
  const items = chunks.reduce((sum, chunk) => sum + countItems('traces', chunk), 0)
  return makeBatch('traces', chunks, items, { arrivedAt: 0 })
}
