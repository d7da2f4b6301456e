import type { Refuses } from '../../src/component/back-pressure.ts'
import type { Component, ComponentContext, Deadline } from '../../src/component/contracts.ts'
import type { Acknowledgement, Consumer, Delivery } from '../../src/component/delivery.ts'
import type { Batch, Signal } from '../../src/otlp/batch.ts'
import { toPlain } from '../../src/otlp/plain-object.ts'
import { type QueuedExporter, queuedExporter } from '../../src/queue/exporter.ts'
import { NO_QUEUE, NO_RETRY, type QueueConfig } from '../../src/queue/fields.ts'
import type { SendResult } from '../../src/queue/send.ts'
import { detailed } from './detailed.ts'
import { normal } from './normal.ts'
import { Outputs } from './outputs.ts'
import { Sampler } from './sampler.ts'
import { summary } from './summary.ts'

export interface DebugSettings {
  readonly verbosity: 'basic' | 'normal' | 'detailed'
  /** See `Sampler`. */
  readonly initial: number
  readonly thereafter: number
  /** Absent: through the log. */
  readonly outputPaths: readonly string[] | undefined
  readonly queue: QueueConfig | undefined
}

export function debugExporter(settings: DebugSettings, ctx: ComponentContext): Component & Consumer {
  return new DebugExporter(settings, ctx)
}

class DebugExporter implements Component, Consumer {
  readonly #settings: DebugSettings
  readonly #ctx: ComponentContext
  readonly #kit: QueuedExporter
  readonly #samplers = new Map<Signal, Sampler>()
  #outputs: Outputs | undefined

  constructor(settings: DebugSettings, ctx: ComponentContext) {
    this.#settings = settings
    this.#ctx = ctx
    this.#kit = queuedExporter({
      ctx,
      queue: settings.queue ?? NO_QUEUE,
      retry: NO_RETRY,
      timeoutMs: 0,
      send: (batch, { release }) => Promise.resolve(this.#send(batch)).finally(release),
    })
  }

  get acknowledges(): Acknowledgement {
    return this.#kit.acknowledges
  }

  get refusing(): Refuses | undefined {
    return this.#kit.refusing
  }

  start(): void {
    const { outputPaths } = this.#settings
    if (outputPaths !== undefined) this.#outputs = new Outputs(outputPaths, this.#ctx.log)
  }

  consume(delivery: Delivery): void {
    this.#kit.consume(delivery)
  }

  stopping(): void {
    this.#kit.stopping()
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#kit.stop(deadline)
    const outputs = this.#outputs
    this.#outputs = undefined
    await outputs?.close()
  }

  #send(batch: Batch): SendResult {
    let sampler = this.#samplers.get(batch.signal)
    if (sampler === undefined) {
      const ctx = this.#ctx
      sampler = new Sampler(ctx.clock, this.#settings.initial, this.#settings.thereafter, ctx.shared(batch.signal))
      this.#samplers.set(batch.signal, sampler)
    }
    if (!sampler.sample()) return { ok: true }
    try {
      const text = describe(batch, this.#settings.verbosity, sampler.takeSkipped())
      if (this.#outputs === undefined) this.#ctx.log.info(text)
      else this.#outputs.print(text)
      return { ok: true }
    } catch (error) {
      const message = `cannot print the batch: ${error instanceof Error ? error.message : String(error)}`
      return { ok: false, verdict: 'reject', reason: 'not_printable', message }
    }
  }
}

/** What is printed for a batch; `skipped` batches of its signal were not since the last one that was. */
export function describe(batch: Batch, verbosity: DebugSettings['verbosity'], skipped: number): string {
  const lines = [summary(batch) + (skipped > 0 ? ` (${skipped} batches before it not shown)` : '')]
  if (verbosity !== 'basic') {
    const format = verbosity === 'normal' ? normal : detailed
    // Laid end to end they are one request, whose resources are numbered through; but not those of profiles.
    const requests = batch.signal === 'profiles' ? batch.chunks : [Buffer.concat(batch.chunks)]
    for (const request of requests) lines.push(...format(batch.signal, toPlain(batch.signal, request)))
  }
  return lines.join('\n')
}
