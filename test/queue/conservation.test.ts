import fc from 'fast-check'
import { expect, it } from 'vitest'
import { BatchProcessor } from '../../processors/batch/processor.ts'
import { deliver, fanOut } from '../../src/component/delivery.ts'
import { queuedExporter } from '../../src/queue/exporter.ts'
import type { Send, SendResult } from '../../src/queue/send.ts'
import { deadlineIn, testContext } from '../support/context.ts'
import { opaqueBatch, type Tracked, track } from '../support/deliveries.ts'
import { queueConfig, REJECTED, retryConfig, UNREACHABLE } from './support.ts'

/*
 * A batch processor before one or two exporters whose peers answer, fail, refuse and hang as drawn, and clients that give
 * up, ended by a stop at any moment. Every delivery must end once and nothing acknowledged may be forgotten. It does not prove that data reached a
 * peer; the exporters' own tests do.
 */

const answers = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.constant<SendResult>({ ok: true }) },
    { weight: 2, arbitrary: fc.constant(UNREACHABLE) },
    { weight: 1, arbitrary: fc.constant(REJECTED) },
    { weight: 1, arbitrary: fc.constant<SendResult>({ ok: true, rejected: 1 }) },
    // Hangs until the deadline has passed, then says yes.
    { weight: 1, arbitrary: fc.constant(undefined) },
  ),
  { minLength: 1, maxLength: 20 },
)

const scenario = fc.record({
  exporters: fc.array(
    fc.record({
      answers,
      queue: fc.boolean(),
      size: fc.integer({ min: 1, max: 3 }),
      block: fc.boolean(),
      wait: fc.boolean(),
    }),
    { minLength: 1, maxLength: 2 },
  ),
  arrivals: fc.array(
    fc.record({
      items: fc.integer({ min: 1, max: 6 }),
      pause: fc.constantFrom(0, 0, 3, 50, 400, 6000),
      patience: fc.constantFrom(undefined, undefined, undefined, 0, 10, 7000),
    }),
    {
      maxLength: 25,
    },
  ),
  trigger: fc.integer({ min: 1, max: 10 }),
  deadline: fc.constantFrom(0, 100, 30_000),
})

it('every delivery ends exactly once, and every acknowledged item is accounted for', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ exporters, arrivals, trigger, deadline }) => {
      const ctx = testContext({ signals: ['traces'] })
      const hanging: (() => void)[] = []
      const kits = exporters.map(({ answers: script, queue, size, block, wait }) => {
        let attempt = 0
        const send: Send = () => {
          const answer = script[attempt++ % script.length]
          if (answer !== undefined) return Promise.resolve(answer)
          return new Promise((resolve) => hanging.push(() => resolve({ ok: true })))
        }
        return queuedExporter({
          ctx,
          queue: queueConfig({
            enabled: queue,
            queue_size: size,
            num_consumers: 1,
            block_on_overflow: block,
            wait_for_result: wait,
          }),
          retry: retryConfig({ max_elapsed_time: 20_000, max_interval: 10_000 }),
          timeoutMs: 0,
          send,
        })
      })
      let offered = 0
      let ended = 0
      // The pipeline's end: books what passes, as the graph's does.
      const end = {
        acknowledges: kits.some(({ acknowledges }) => acknowledges === 'admitted') ? 'admitted' : 'delivered',
        consume(delivery) {
          const { items } = delivery.batch
          offered += items
          const whole = deliver(delivery.batch, {
            admitted: () => delivery.admit(),
            refused: (failure) => delivery.refuse(failure),
            settled(outcome) {
              ended += items
              delivery.settle(outcome)
            },
            waiting: delivery,
          })
          for (const [i, copy] of fanOut(whole, kits.length).entries()) kits[i]!.consume(copy)
        },
      } satisfies ConstructorParameters<typeof BatchProcessor>[2]
      const batch = new BatchProcessor(
        { timeoutMs: 200, triggerItems: trigger, maxItems: Infinity, metadataKeys: [], maxShards: 1 },
        ctx,
        end,
      )
      const tracked: Tracked[] = []
      for (const { items, pause, patience } of arrivals) {
        const one = track(opaqueBatch(items), patience === undefined ? undefined : ctx.clock.monotonic() + patience)
        if (patience !== undefined) ctx.clock.setTimeout(one.leave, patience)
        tracked.push(one)
        batch.consume(one.delivery)
        await ctx.clock.advance(pause)
      }
      const limit = deadlineIn(ctx.clock, deadline)
      const stopped = batch.stop(limit).then(() => Promise.all(kits.map((kit) => kit.stop(limit))))
      await ctx.clock.advance(deadline)
      await stopped
      for (const { events, outcome } of tracked) {
        expect(outcome).toBeDefined()
        // An answer at most, then the outcome: `deliver` throws at a second one.
        expect(events.length).toBeLessThanOrEqual(2)
      }
      const items = (some: readonly Tracked[]): number =>
        some.reduce((sum, { delivery }) => sum + delivery.batch.items, 0)
      // What was handed on came back once; what was not was booked by the batch processor itself.
      expect(ended).toBe(offered)
      const booked = [...ctx.booked.values()].reduce((a, b) => a + b, 0)
      expect(offered + booked).toBe(items(tracked))
      for (const answer of hanging) answer()
      // The last clients lose their patience.
      await ctx.clock.advance(7000)
      expect(ctx.clock.timers).toBe(0)
    }),
    { numRuns: 300 },
  )
})
