// The limiter with a measure and a collector that the test sets. What this does not show: that V8 frees anything
// (thread-memory.test.ts), and what receivers do with it (test/faults/memory-limited.test.ts).
import { describe, expect, test } from 'vitest'
import { pressureSettings } from '../../src/memory/limiter-fields.ts'
import { MemoryLimiter } from '../../src/memory/memory-limiter.ts'
import { SharedBoard } from '../../src/memory/shared-board.ts'
import { Admission } from '../../src/transport/admission.ts'
import { type TestContext, testContext } from '../support/context.ts'

const MIB = 1 << 20

interface Rig {
  readonly ctx: TestContext
  readonly limiter: MemoryLimiter
  used: number
  /** What a collection leaves; the same if absent. */
  afterGc?: number
  collections: number
}

const SETTINGS = pressureSettings(
  {
    check_interval: 1000,
    limit_mib: 100,
    limit_percentage: 0,
    spike_limit_mib: 20,
    spike_limit_percentage: 0,
    min_gc_interval_when_soft_limited: 10_000,
    min_gc_interval_when_hard_limited: 0,
    max_gc_interval_when_soft_limited: 30_000,
    max_gc_interval_when_hard_limited: 30_000,
  },
  0,
)

function rig(): Rig {
  const ctx = testContext({ memory: { used: () => rig.used } })
  const rig: Rig = {
    ctx,
    used: 0,
    collections: 0,
    limiter: new MemoryLimiter(SETTINGS, ctx, () => {
      rig.collections++
      rig.used = rig.afterGc ?? rig.used
    }),
  }
  return rig
}

test('refuses at the next check, closes the byte budget, and says so once', async () => {
  const one = rig()
  const { ctx, limiter } = one
  limiter.attach(ctx)
  one.used = 80 * MIB
  expect(limiter.refusing).toBe(false)
  await ctx.clock.advance(1000)
  expect([limiter.refusing, ctx.admission.limited]).toEqual([true, true])
  await ctx.clock.advance(3000)
  one.used = 79 * MIB
  await ctx.clock.advance(1000)
  expect([limiter.refusing, ctx.admission.limited]).toEqual([false, false])
  expect(ctx.lines.map(({ msg }) => msg)).toEqual([
    'Memory usage is above soft limit. Refusing data.',
    'Memory usage back within limits. Resuming normal operation.',
  ])
  expect(ctx.reports.map(({ status }) => status)).toEqual([...Array<string>(4).fill('recoverable'), 'ok'])
  limiter.detach(ctx)
  expect(ctx.clock.timers).toBe(0)
})

test('collects above the hard limit, and refuses nothing where that was enough', async () => {
  const one = rig()
  one.limiter.attach(one.ctx)
  one.used = 100 * MIB
  one.afterGc = 50 * MIB
  await one.ctx.clock.advance(1000)
  expect([one.collections, one.limiter.refusing]).toEqual([1, false])
  expect(one.ctx.lines.map(({ msg }) => msg)).toEqual(['Memory usage is above hard limit. Forcing a GC.'])
  one.limiter.detach(one.ctx)
})

test('where collecting frees nothing it is done ever less often', async () => {
  const one = rig()
  one.limiter.attach(one.ctx)
  one.used = 100 * MIB
  // At 1 s; then pauses of more than 1.9, 3.8, 7.6, 15.2 and 30 s, each at the next full second: 3, 7, 15, 31 and 62 s.
  await one.ctx.clock.advance(62_000)
  expect(one.collections).toBe(6)
  one.limiter.detach(one.ctx)
})

test('the last component that stops ends the checks and lets everything in', async () => {
  const one = rig()
  const { ctx, limiter } = one
  const second = testContext()
  limiter.attach(ctx)
  limiter.attach(second)
  expect(ctx.clock.timers).toBe(1)
  one.used = 90 * MIB
  await ctx.clock.advance(1000)
  limiter.detach(ctx)
  expect([ctx.admission.limited, ctx.clock.timers]).toEqual([true, 1])
  limiter.detach(second)
  limiter.detach(second)
  expect([ctx.admission.limited, ctx.clock.timers]).toEqual([false, 0])
})

test.each([
  [{ limit_mib: 500 }, 500, 400],
  [{ limit_mib: 500, spike_limit_mib: 50 }, 500, 450],
  [{ limit_percentage: 50 }, 1000, 800],
  [{ limit_percentage: 50, spike_limit_percentage: 20 }, 1000, 600],
  [{ limit_mib: 500, limit_percentage: 50, spike_limit_percentage: 20 }, 500, 400],
])('%j of 2000 MiB: hard limit %i, soft limit %i', (config, hard, soft) => {
  const settings = pressureSettings(
    {
      check_interval: 1000,
      limit_mib: 0,
      limit_percentage: 0,
      spike_limit_mib: 0,
      spike_limit_percentage: 0,
      min_gc_interval_when_soft_limited: 0,
      min_gc_interval_when_hard_limited: 0,
      max_gc_interval_when_soft_limited: 0,
      max_gc_interval_when_hard_limited: 0,
      ...config,
    },
    2000 * MIB,
  )
  expect([settings.hardLimit, settings.softLimit]).toEqual([hard * MIB, soft * MIB])
})

describe('limiters of several lanes', () => {
  interface Lane {
    readonly ctx: TestContext
    readonly limiter: MemoryLimiter
    readonly collectedAt: number[]
  }

  /** Lanes with one board and one budget. */
  class Process {
    readonly lanes: Lane[] = []
    /** What all together use. */
    used = 0
    readonly #dead = new Set<Lane>()
    readonly #board = SharedBoard.memory()
    readonly #budget = Admission.memory(1 << 30)

    constructor(lanes: number) {
      for (let index = 0; index < lanes; index++) {
        const board = new SharedBoard(this.#board, index + 1)
        const collectedAt: number[] = []
        const ctx = testContext({
          lane: { index, count: lanes },
          memory: { used: () => this.used },
          admission: new Admission(this.#budget, index + 1),
          shared: (name) => board.piece(name),
        })
        const limiter = new MemoryLimiter(SETTINGS, ctx, () => void collectedAt.push(ctx.clock.monotonic()))
        limiter.attach(ctx)
        this.lanes.push({ ctx, limiter, collectedAt })
      }
    }

    async advance(ms: number): Promise<void> {
      const STEP = 50
      for (let at = 0; at < ms; at += STEP)
        for (const lane of this.lanes) if (!this.#dead.has(lane)) await lane.ctx.clock.advance(STEP)
    }

    /** Nothing of it runs any more, and the supervisor does what it does then. */
    lose(index: number): void {
      this.#dead.add(this.lanes[index]!)
      new SharedBoard(this.#board, 0).forget(index + 1)
      new Admission(this.#budget).forget(index + 1)
    }

    /** By lane: whether it refuses what comes to it, and what has not been read. */
    get refusing(): (readonly [boolean, boolean])[] {
      return this.lanes.map(({ limiter, ctx }) => [limiter.refusing, ctx.admission.limited])
    }
  }

  test('refuse and resume as one, and one of them says so', async () => {
    const process = new Process(4)
    process.used = 80 * MIB
    await process.advance(1000)
    expect(process.refusing).toEqual(Array(4).fill([true, true]))
    await process.advance(3000)
    process.used = 79 * MIB
    await process.advance(1000)
    expect(process.refusing).toEqual(Array(4).fill([false, false]))
    expect(process.lanes.map(({ ctx }) => ctx.lines.length)).toEqual([2, 0, 0, 0])
    // Each tells the health of its own components.
    await process.advance(1000)
    for (const { ctx } of process.lanes) {
      expect(ctx.reports.map(({ status }) => status)).toContain('recoverable')
      expect(ctx.reports.at(-1)?.status).toBe('ok')
    }
    for (const { limiter, ctx } of process.lanes) {
      limiter.detach(ctx)
      expect(ctx.clock.timers).toBe(0)
    }
  })

  test('collect when one of them says so, each once and one after the other', async () => {
    const process = new Process(4)
    await process.advance(2500)
    process.used = 100 * MIB
    await process.advance(1500)
    const [leader, ...others] = process.lanes.map(({ collectedAt }) => collectedAt)
    expect(leader).toEqual([3000])
    expect(others).toEqual([[3250], [3500], [3750]])
  })

  test('the next leads when the one that does is lost, whose limit is not left behind', async () => {
    const process = new Process(2)
    process.used = 90 * MIB
    await process.advance(1000)
    process.lose(0)
    expect(process.refusing[1]).toEqual([true, false])
    await process.advance(500)
    expect(process.refusing[1]).toEqual([true, true])
    process.used = 10 * MIB
    await process.advance(1000)
    expect(process.refusing[1]).toEqual([false, false])
    const [, { ctx }] = process.lanes as [Lane, Lane]
    expect(ctx.lines.map(({ msg }) => msg)).toEqual(['Memory usage back within limits. Resuming normal operation.'])
  })

  test('the next leads when the one that does stops, or hangs for three checks', async () => {
    const process = new Process(3)
    const [one, two, three] = process.lanes as [Lane, Lane, Lane]
    await process.advance(2000)
    process.used = 90 * MIB
    one.limiter.detach(one.ctx)
    await process.advance(1000)
    expect(two.ctx.lines.map(({ msg }) => msg)).toEqual(['Memory usage is above soft limit. Refusing data.'])
    // It hangs: only the third lane's time goes on.
    process.used = 10 * MIB
    await three.ctx.clock.advance(2500)
    expect(three.limiter.refusing).toBe(true)
    await three.ctx.clock.advance(1500)
    expect(three.limiter.refusing).toBe(false)
    expect(three.ctx.lines.map(({ msg }) => msg)).toEqual([
      'Memory usage back within limits. Resuming normal operation.',
    ])
    // Its requests stay out of the budget until it finds out that it leads no more.
    expect(three.ctx.admission.limited).toBe(true)
    await two.ctx.clock.advance(1000)
    expect([three.ctx.admission.limited, two.limiter.refusing]).toEqual([false, false])
  })
})
