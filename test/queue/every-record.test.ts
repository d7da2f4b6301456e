import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Books, booksOf } from '../../src/component/delivery.ts'
import { arenas } from '../../src/otlp/arena.ts'
import { makeBatch } from '../../src/otlp/batch.ts'
import { queuedExporter } from '../../src/queue/exporter.ts'
import type { SendResult } from '../../src/queue/send.ts'
import { readProtobufjs, writeProtobufjs } from '../otlp/support/oracles.ts'
import { deadlineIn, testContext } from '../support/context.ts'
import { type Tracked, track } from '../support/deliveries.ts'
import { queueConfig, REJECTED, retryConfig, UNREACHABLE } from './support.ts'

/*
 * One exporter with every option of its queue drawn, before a peer that takes requests up to a size and answers as drawn;
 * clients come, leave, and a stop ends it. Every record is followed by its name: none arrives twice, all of what was
 * delivered has arrived, everything is settled once and counted once, and all memory is given back (poisoned when it is).
 * It does not show that a socket may read later than its answer comes; the clients' tests do.
 */

const behaviours = fc.constantFrom('ok', 'ok', 'ok', 'down', 'down', 'reject', 'hang', 'throw')

const scenario = fc.record({
  queue: fc.record({
    enabled: fc.constantFrom(true, true, true, false),
    num_consumers: fc.integer({ min: 1, max: 3 }),
    queue_size: fc.integer({ min: 1, max: 6 }),
    queue_size_bytes: fc.constantFrom(undefined, 3000),
    block_on_overflow: fc.boolean(),
    wait_for_result: fc.boolean(),
  }),
  batch: fc.option(
    fc.record({ min_size: fc.integer({ min: 0, max: 12 }), max_size: fc.constantFrom(0, 12, 20), bytes: fc.boolean() }),
    { nil: undefined },
  ),
  maxRequestBytes: fc.constantFrom(0, 400, 1500),
  takes: fc.constantFrom(Infinity, Infinity, 250, 900),
  answers: fc.array(behaviours, { minLength: 1, maxLength: 12 }),
  arrivals: fc.array(
    fc.record({
      spans: fc.array(fc.constantFrom(10, 40, 300), { minLength: 1, maxLength: 12 }),
      pause: fc.constantFrom(0, 0, 50, 250, 6000),
      patience: fc.constantFrom(undefined, undefined, 10, 7000),
      // Somebody before has answered for it, as a batch processor does.
      promised: fc.boolean(),
    }),
    { minLength: 1, maxLength: 15 },
  ),
  warned: fc.boolean(),
  deadline: fc.constantFrom(0, 100, 30_000),
})

beforeEach(() => {
  arenas.poison = true
})
afterEach(() => {
  arenas.poison = false
})

it('arrives at most once, and is accounted for', async () => {
  await fc.assert(
    fc.asyncProperty(
      scenario,
      async ({ queue, batch, maxRequestBytes, takes, answers, arrivals, warned, deadline }) => {
        const ctx = testContext({ signals: ['traces'] })
        const before = arenas.held
        const arrived = new Map<string, number>()
        const hanging: (() => void)[] = []
        let attempts = 0
        const exporter = queuedExporter({
          ctx,
          queue: queueConfig({
            ...queue,
            ...(batch && {
              batch: {
                enabled: true,
                flush_timeout: 200,
                min_size: batch.bytes ? batch.min_size * 50 : batch.min_size,
                max_size: batch.bytes ? batch.max_size * 50 : batch.max_size,
                sizer: batch.bytes ? 'bytes' : 'items',
                partition: { metadata_keys: [] },
              },
            }),
          }),
          retry: retryConfig({ max_elapsed_time: 20_000, max_interval: 10_000 }),
          timeoutMs: 0,
          maxRequestBytes,
          async send({ chunks, byteLength }, { release }): Promise<SendResult> {
            const answer = answers[attempts++ % answers.length]!
            if (byteLength > takes) {
              release()
              return { ...REJECTED, tooLarge: true } as SendResult
            }
            if (answer === 'throw') throw new Error('thrown')
            if (answer === 'hang') await new Promise<void>((resolve) => void hanging.push(resolve))
            if (answer === 'ok' || answer === 'hang') {
              for (const name of chunks.flatMap(namesOf)) arrived.set(name, (arrived.get(name) ?? 0) + 1)
            }
            release()
            return answer === 'down' ? UNREACHABLE : answer === 'reject' ? REJECTED : { ok: true }
          },
        })
        const tracked: { readonly names: readonly string[]; readonly sent: Tracked }[] = []
        for (const { spans, pause, patience, promised } of arrivals) {
          const names = spans.map((length, i) => `${tracked.length}.${i}.${'x'.repeat(length)}`)
          const request = writeProtobufjs('traces', {
            resourceSpans: [{ scopeSpans: [{ spans: names.map((name) => ({ name })) }] }],
          })
          // As a receiver's request body is: its memory is used again once it is settled.
          const bytes = arenas.take(Math.max(request.byteLength, 5000)).subarray(0, request.byteLength)
          bytes.set(request)
          const until = patience === undefined ? undefined : ctx.clock.monotonic() + patience
          const one = track(makeBatch('traces', [bytes], names.length, { arrivedAt: 0 }), until, () =>
            arenas.release(bytes),
          )
          if (patience !== undefined) ctx.clock.setTimeout(one.leave, patience)
          tracked.push({ names, sent: one })
          if (promised) one.delivery.admit()
          exporter.consume(one.delivery)
          await ctx.clock.advance(pause)
        }
        if (warned) {
          exporter.stopping()
          await ctx.clock.advance(50)
        }
        const stopped = exporter.stop(deadlineIn(ctx.clock, deadline))
        await ctx.clock.advance(deadline)
        await stopped
        const atStop = new Map(arrived)
        let delivered = 0
        for (const answer of hanging) answer()
        await ctx.clock.advance(10_000)
        for (const [name, times] of arrived) expect([name, times]).toEqual([name, 1])
        for (const { names, sent } of tracked) {
          expect(sent.outcome).toBeDefined()
          // Whose records of a joined request were refused nobody can say.
          const lost = total(booksOf(sent.outcome!, names.length))
          if (batch === undefined) expect(names.filter((name) => !atStop.has(name)).length).toBeLessThanOrEqual(lost)
          delivered += names.length - lost
        }
        const items = tracked.reduce((sum, { names }) => sum + names.length, 0)
        const { meter } = ctx
        const counted = ['sent', 'send_failed', 'enqueue_failed'].map((name) =>
          meter.total(`otelcol_exporter_${name}_spans`),
        )
        expect(counted.reduce((a, b) => a + b)).toBe(items - refusedAtStop(tracked))
        expect(counted[0]).toBe(delivered)
        // An attempt that the deadline found under way may arrive after all.
        expect(counted[0]).toBeLessThanOrEqual(atStop.size)
        for (const name of [
          'otelcol_exporter_queue_size',
          'sluice_exporter_queue_bytes',
          'sluice_exporter_blocked_requests',
        ])
          expect([name, meter.total(name)]).toEqual([name, 0])
        expect([ctx.clock.timers, arenas.held - before]).toEqual([0, 0])
      },
    ),
    { numRuns: 400 },
  )
}, 60_000)

function total(books: Books): number {
  return Object.values(books).reduce((a, b) => a + b, 0)
}

/** Who waited for room when the stop came was sent elsewhere, not turned away by a full queue. */
function refusedAtStop(tracked: readonly { readonly names: readonly string[]; readonly sent: Tracked }[]): number {
  return tracked
    .filter(({ sent: { outcome } }) => outcome?.ok === false && outcome.failure.message.endsWith('another instance'))
    .reduce((sum, { names }) => sum + names.length, 0)
}

function namesOf(chunk: Uint8Array): string[] {
  const { resourceSpans = [] } = readProtobufjs('traces', chunk) as {
    resourceSpans?: { scopeSpans?: { spans?: { name: string }[] }[] }[]
  }
  return resourceSpans.flatMap(({ scopeSpans = [] }) =>
    scopeSpans.flatMap(({ spans = [] }) => spans.map(({ name }) => name)),
  )
}
