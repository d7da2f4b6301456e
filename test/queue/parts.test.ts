import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Backoff } from '../../src/queue/backoff.ts'
import { deliveryProblems } from '../../src/queue/fields.ts'
import { Fifo } from '../../src/queue/fifo.ts'
import { Line, type Place } from '../../src/queue/line.ts'
import { Summary } from '../../src/queue/summary.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { retryConfig } from './support.ts'

describe('backoff', () => {
  it('draws each wait from around the interval, which alone grows', () => {
    const backoff = () => new Backoff(retryConfig({ initial_interval: 1000, randomization_factor: 0.5, multiplier: 2 }))
    const [low, high] = [backoff(), backoff()]
    expect([0, 0, 0].map((random) => low.next(random))).toEqual([500, 1000, 2000])
    expect([1, 1, 1].map((random) => high.next(random))).toEqual([1500, 3000, 6000])
  })
})

describe('fifo', () => {
  it('is what an array would be', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(), { nil: undefined }), { maxLength: 300 }), (steps) => {
        const fifo = new Fifo<number>()
        const model: number[] = []
        for (const step of steps) {
          if (step === undefined) expect(fifo.shift()).toBe(model.shift())
          else {
            fifo.push(step)
            model.push(step)
          }
          expect(fifo.length).toBe(model.length)
        }
        fifo.clear()
        expect([fifo.length, fifo.shift()]).toEqual([0, undefined])
      }),
    )
  })
})

describe('line', () => {
  it('is what an array would be, of which anybody may leave', () => {
    const step = fc.oneof(
      fc.constant('shift' as const),
      fc.record({ push: fc.nat() }),
      fc.record({ unshift: fc.nat() }),
      fc.record({ leave: fc.nat() }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const line = new Line<number>()
        const model: Place<number>[] = []
        for (const each of steps) {
          if (each === 'shift') expect(line.shift()).toBe(model.shift()?.item)
          else if ('push' in each) model.push(line.push(each.push))
          else if ('unshift' in each) model.unshift(line.unshift(each.unshift))
          else if (model.length > 0) line.leave(model.splice(each.leave % model.length, 1)[0]!)
          expect([line.length, line.first]).toEqual([model.length, model[0]?.item])
        }
        const left = Array.from({ length: line.length }, () => line.shift())
        expect([left, line.shift()]).toEqual([model.map(({ item }) => item), undefined])
      }),
    )
  })
})

describe('summary', () => {
  it('says the first at once and the others together, loses none, and rests without a timer', async () => {
    const clock = new FakeClock()
    const said: [number, number, string][] = []
    const summary = new Summary(clock, 1000, ({ items, batches, cause }) => said.push([items, batches, cause]))
    summary.add(1, 'a')
    summary.add(2, 'b')
    summary.add(3, 'c')
    expect(said).toEqual([[1, 1, 'a']])
    await clock.advance(1000)
    expect(said).toEqual([
      [1, 1, 'a'],
      [5, 2, 'c'],
    ])
    await clock.advance(1000)
    expect(clock.timers).toBe(0)
    summary.add(4, 'd')
    summary.add(5, 'e')
    summary.flush()
    expect(said.slice(2)).toEqual([
      [4, 1, 'd'],
      [5, 1, 'e'],
    ])
    expect(clock.timers).toBe(0)
  })
})

describe('retry_on_failure', () => {
  it('is refused where its intervals are longer than it tries', () => {
    expect(deliveryProblems({ retry_on_failure: retryConfig({ max_elapsed_time: 10_000 }) })).toEqual([
      {
        path: ['retry_on_failure', 'max_elapsed_time'],
        message: 'expected 0 (for ever) or at least max_interval (30s), got 10s',
      },
    ])
    expect(deliveryProblems({ retry_on_failure: retryConfig({ max_elapsed_time: 0 }) })).toEqual([])
    expect(deliveryProblems({ retry_on_failure: retryConfig() })).toEqual([])
  })
})
