import { describe, expect, test } from 'vitest'
import { LaneLoads } from '../../src/lanes/lane-loads.ts'
import { Spreader } from '../../src/lanes/spreader.ts'
import { SharedPiece } from '../../src/memory/shared-board.ts'
import { makeBatch } from '../../src/otlp/batch.ts'
import { FakeClock } from '../support/fake-clock.ts'

// The rule alone, on lanes that are a sum: what it does not show, that work really moves, bench/lanes/spread.ts does.

const BATCH = makeBatch('traces', [new Uint8Array(8192)], 16, { arrivedAt: 0 })
/** Milliseconds of work that a batch is. */
const WORK_MS = 1

/** Lanes whose clients offer so much work each, as a share of what one lane can do, and how busy they become. */
class Model {
  readonly clock = new FakeClock()
  readonly spreaders: Spreader[] = []
  /** Work that waits in each lane, in ms. */
  readonly waiting: number[]
  /** Work that each lane has done. */
  readonly done: number[]
  readonly offered: number[]
  readonly #debt: number[]
  #gone = new Set<number>()

  constructor(offered: readonly number[]) {
    const lanes = offered.length
    this.offered = [...offered]
    this.waiting = Array<number>(lanes).fill(0)
    this.done = Array<number>(lanes).fill(0)
    this.#debt = Array<number>(lanes).fill(0)
    const pieces = offered.map(() => SharedPiece.alone())
    for (let lane = 0; lane < lanes; lane++) {
      const since = { at: 0, done: 0 }
      const others = {
        lane,
        lanes,
        runs: (other: number) => !this.#gone.has(other),
        hasRoom: (other: number) => !this.#gone.has(other) && this.waiting[other]! < 8 * WORK_MS,
      }
      const worked = (): number => {
        const elapsed = this.clock.monotonic() - since.at
        const done = this.done[lane]! - since.done
        Object.assign(since, { at: this.clock.monotonic(), done: this.done[lane] })
        return elapsed === 0 ? 0 : Math.min(1, done / elapsed)
      }
      let latest = 0
      const ownLoad = {
        busy: () => latest,
        cpu: () => {
          latest = worked()
          return latest
        },
      }
      this.spreaders.push(
        new Spreader(others, new LaneLoads(lane, lanes, (each) => pieces[each]!), this.clock, ownLoad),
      )
    }
  }

  lose(lane: number): void {
    this.#gone.add(lane)
  }

  /** A millisecond at a time: batches come, each lane works one millisecond; what a lane cannot take its clients keep. */
  async run(ms: number): Promise<void> {
    for (let now = 0; now < ms; now++) {
      for (const [lane, spreader] of this.spreaders.entries()) {
        if (this.#gone.has(lane)) continue
        this.#debt[lane]! += this.offered[lane]!
        while (this.#debt[lane]! >= WORK_MS && this.waiting[lane]! < 20 * WORK_MS) {
          this.#debt[lane]! -= WORK_MS
          const to = spreader.laneFor(BATCH)
          if (to === lane) spreader.worked(WORK_MS)
          this.spreaders[to]!.wake()
          this.waiting[to]! += WORK_MS
        }
        this.#debt[lane] = Math.min(this.#debt[lane]!, 20)
      }
      for (let lane = 0; lane < this.done.length; lane++) {
        const work = Math.min(1, this.waiting[lane]!)
        this.waiting[lane]! -= work
        this.done[lane]! += work
      }
      await this.clock.advance(1)
    }
  }

  /** Parts of the work that each lane does during the next `ms`. */
  async parts(ms: number): Promise<number[]> {
    const before = [...this.done]
    await this.run(ms)
    const work = this.done.map((done, lane) => done - before[lane]!)
    const sum = work.reduce((a, b) => a + b, 0)
    return work.map((each) => each / sum)
  }
}

describe('what one lane cannot carry', () => {
  test.each([
    [1.5, 0],
    [1.4, 0.1],
    [1.1, 0.4],
  ])('%d and %d of it: within a second the busier of two does at most 60 percent', async (...offered) => {
    const model = new Model(offered)
    await model.run(1000)
    const parts = await model.parts(4000)
    expect(Math.max(...parts)).toBeLessThan(0.6)
    // All of it is done.
    expect(model.done.reduce((a, b) => a + b, 0)).toBeGreaterThan(5000 * 1.5 - 600)
  })

  test('one of four lanes has all the clients: each gets about its quarter', async () => {
    const model = new Model([3, 0, 0, 0])
    await model.run(2000)
    for (const part of await model.parts(4000)) expect(Math.abs(part - 0.25)).toBeLessThan(0.06)
  })

  test('two of four lanes have them', async () => {
    const model = new Model([1.8, 1.2, 0, 0])
    await model.run(2000)
    for (const part of await model.parts(4000)) expect(Math.abs(part - 0.25)).toBeLessThan(0.08)
  })
})

test('busy lanes that are even give nothing', async () => {
  const model = new Model([0.8, 0.8])
  await model.run(3000)
  expect(model.spreaders.map(({ share }) => share)).toEqual([0, 0])
})

test('a lane with little to do keeps it', async () => {
  const model = new Model([0.4, 0])
  await model.run(3000)
  expect(model.spreaders[0]!.share).toBe(0)
})

test('when the load goes down, what is left stays', async () => {
  const model = new Model([1.5, 0])
  await model.run(2000)
  expect(model.spreaders[0]!.share).toBeGreaterThan(0.3)
  model.offered[0] = 0.2
  await model.run(3000)
  expect(model.spreaders[0]!.share).toBe(0)
})

test('a lane that is lost gets nothing more', async () => {
  const model = new Model([1.5, 0, 0])
  await model.run(2000)
  model.lose(1)
  await model.run(60)
  const before = model.done[1]!
  await model.run(500)
  expect(model.done[1]! - before).toBeLessThan(10 * WORK_MS)
})

test('lanes without work rest: no timer is left', async () => {
  const model = new Model([1.5, 0])
  await model.run(500)
  model.offered[0] = 0
  await model.clock.advance(2000)
  expect(model.clock.timers).toBe(0)
})

test('work that is done sooner than handed over stays', () => {
  const clock = new FakeClock()
  const others = { lane: 0, lanes: 2, runs: () => true, hasRoom: () => true }
  const pieces = [SharedPiece.alone(), SharedPiece.alone()]
  const spreader = new Spreader(others, new LaneLoads(0, 2, (lane) => pieces[lane]!), clock, {
    busy: () => 1,
    cpu: () => 1,
  })
  const given = async (batch: typeof BATCH, took: number): Promise<number> => {
    let elsewhere = 0
    for (let ms = 0; ms < 2000; ms++) {
      if (spreader.laneFor(batch) === 0) spreader.worked(took)
      else elsewhere++
      await clock.advance(1)
    }
    return elsewhere
  }
  const tiny = makeBatch('traces', [new Uint8Array(100)], 1, { arrivedAt: 0 })
  return (async () => {
    expect(await given(tiny, 0.01)).toBe(0)
    expect(await given(tiny, 0.1)).toBeGreaterThan(500)
  })()
})

test('a lane that has fallen silent in the midst of work counts as busy, one that said that it rests does not', () => {
  const pieces = [SharedPiece.alone(), SharedPiece.alone()]
  const [mine, theirs] = [0, 1].map((lane) => new LaneLoads(lane, 2, (each) => pieces[each]!))
  theirs!.publish(0.3)
  expect(mine!.look(1)).toBeCloseTo(0.3)
  for (let i = 0; i < 4; i++) expect(mine!.look(1)).toBeCloseTo(0.3)
  expect(mine!.look(1)).toBe(1)
  theirs!.publish(0.4)
  expect(mine!.look(1)).toBeCloseTo(0.4)
  theirs!.rest()
  for (let i = 0; i < 10; i++) expect(mine!.look(1)).toBe(0)
})

test('a lane that takes the place of one lost in the midst of work rests until it has some', () => {
  const pieces = [SharedPiece.alone(), SharedPiece.alone()]
  const lane = (index: number): LaneLoads => new LaneLoads(index, 2, (each) => pieces[each]!)
  const mine = lane(0)
  lane(1).publish(0.8)
  expect(mine.look(1)).toBeCloseTo(0.8)
  lane(1)
  for (let i = 0; i < 10; i++) expect(mine.look(1)).toBe(0)
})
