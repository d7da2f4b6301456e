import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ack,
  apart,
  booksOf,
  type Failure,
  fanOut,
  merge,
  nack,
  replace,
  split,
  type Verdict,
} from '../../src/component/delivery.ts'
import { opaqueBatch, track } from '../support/deliveries.ts'

const failed = (verdict: Verdict): Failure => ({ verdict, reason: verdict, message: verdict })

describe('what a peer refused for good', () => {
  it('adds up over a split and is the largest over copies', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 6 }), (rejected) => {
        const shares = track(opaqueBatch(100))
        const parts = split(
          shares.delivery,
          rejected.map(() => opaqueBatch(20)),
        )
        for (const [i, part] of parts.entries()) part.settle({ ok: true, rejected: rejected[i]! })
        expect(shares.outcome).toEqual({ ok: true, rejected: rejected.reduce((a, b) => a + b, 0) })
        const copies = track(opaqueBatch(100))
        for (const [i, copy] of fanOut(copies.delivery, rejected.length).entries()) {
          copy.settle({ ok: true, rejected: rejected[i]! })
        }
        expect(copies.outcome).toEqual({ ok: true, rejected: Math.max(...rejected) })
      }),
    )
  })

  it('is not laid on any part of a merge', () => {
    const parents = [track(opaqueBatch(5)), track(opaqueBatch(5))]
    merge(
      parents.map(({ delivery }) => delivery),
      opaqueBatch(10),
    ).settle({ ok: true, rejected: 3, message: 'too old' })
    // Whose they were nobody knows; the books have them once.
    expect(parents.map(({ outcome }) => outcome)).toEqual([
      { ok: true, rejected: 0, message: 'too old', books: { rejected: 3 } },
      { ok: true, rejected: 0, message: 'too old' },
    ])
  })
})

describe('the books', () => {
  const parts = (...items: number[]) => {
    const whole = track(opaqueBatch(items.reduce((a, b) => a + b)))
    return {
      whole,
      split: (how = split) =>
        how(
          whole.delivery,
          items.map((n) => opaqueBatch(n)),
        ),
    }
  }

  it('say what arrived of a batch that failed in part', () => {
    const { whole, split } = parts(5, 3, 2)
    const [one, two, three] = split()
    ack(one!)
    nack(two!, failed('retry'))
    nack(three!, failed('reject'))
    expect(whole.outcome).toEqual({ ok: false, failure: failed('retry'), books: { retry: 3, reject: 2 } })
  })

  it('say no more than the outcome where that says it all', () => {
    const { whole, split } = parts(5, 3)
    for (const part of split()) nack(part, failed('retry'))
    expect(whole.outcome).toEqual({ ok: false, failure: failed('retry') })
  })

  it('and the sender: parts refused for good fail no neighbours at the end of the way', () => {
    const { whole, split } = parts(5, 3, 2)
    const [one, two, three] = split(apart)
    nack(one!, failed('reject'))
    ack(two!)
    three!.settle({ ok: true, rejected: 1, message: 'too old' })
    expect(whole.outcome).toEqual({ ok: true, rejected: 6, message: 'too old', books: { reject: 5, rejected: 1 } })
    const none = parts(5, 3)
    for (const part of none.split(apart)) nack(part, failed('reject'))
    expect(none.whole.outcome).toEqual({ ok: false, failure: failed('reject') })
    // What may be sent again is: a duplicate is better than a loss.
    const again = parts(5, 3, 2)
    const [ok, lost, later] = again.split(apart)
    ack(ok!)
    nack(lost!, failed('reject'))
    nack(later!, failed('retry'))
    expect(again.whole.outcome).toEqual({ ok: false, failure: failed('retry'), books: { reject: 3, retry: 2 } })
  })

  it('have every lost item once, however deliveries were split and joined', () => {
    const tree = fc.array(
      fc.record({
        op: fc.constantFrom('split', 'apart', 'replace', 'merge'),
        at: fc.nat(50),
        width: fc.integer({ min: 1, max: 4 }),
      }),
      { maxLength: 10 },
    )
    const ends = fc.record({
      outcome: fc.constantFrom('ok', 'some', 'reject', 'retry', 'stopping'),
      share: fc.nat(100),
    })
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 }),
        tree,
        fc.array(ends, { minLength: 60, maxLength: 60 }),
        (sizes, script, planned) => {
          const roots = sizes.map((items) => track(opaqueBatch(items)))
          let open = roots.map(({ delivery }) => delivery)
          for (const { op, at, width } of script) {
            const start = at % open.length
            const taken = open[start]!
            if (op === 'merge') {
              const parents = open.slice(start, start + width)
              const items = parents.reduce((sum, { batch }) => sum + batch.items, 0)
              open = [...open.slice(0, start), merge(parents, opaqueBatch(items)), ...open.slice(start + width)]
            } else if (op === 'replace') {
              open[start] = replace(taken, opaqueBatch(taken.batch.items))
            } else {
              const each = Math.ceil(taken.batch.items / width)
              const shares: number[] = []
              for (let left = taken.batch.items; left > 0; left -= each) shares.push(Math.min(each, left))
              const how = op === 'apart' ? apart : split
              open.splice(
                start,
                1,
                ...how(
                  taken,
                  shares.map((items) => opaqueBatch(items)),
                ),
              )
            }
          }
          const lost: Record<string, number> = {}
          const lose = (reason: string, items: number): void => {
            if (items > 0) lost[reason] = (lost[reason] ?? 0) + items
          }
          for (const [i, leaf] of open.entries()) {
            const { outcome, share } = planned[i % planned.length]!
            const { items } = leaf.batch
            if (outcome === 'ok') ack(leaf)
            else if (outcome === 'some') {
              const rejected = Math.floor((items * share) / 100)
              lose('rejected', rejected)
              leaf.settle({ ok: true, rejected })
            } else {
              lose(outcome, items)
              nack(leaf, failed(outcome as Verdict))
            }
          }
          const booked: Record<string, number> = {}
          for (const { outcome, delivery } of roots) {
            for (const [reason, items] of Object.entries(booksOf(outcome!, delivery.batch.items))) {
              booked[reason] = (booked[reason] ?? 0) + items
            }
          }
          expect(booked).toEqual(lost)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('a client that gives up', () => {
  it('is known at once to whoever asks later, and its deadline to everybody', () => {
    const early = track(opaqueBatch(1), 100)
    const late = track(opaqueBatch(1), 300)
    const joined = merge([early.delivery, late.delivery], opaqueBatch(2))
    // Somebody waits as long as the most patient does.
    expect([early.delivery.deadline, joined.deadline]).toEqual([100, 300])
    early.leave()
    late.leave()
    let told = 0
    const [copy] = fanOut(replace(joined, joined.batch), 1)
    copy!.onAbandoned(() => void told++)
    expect([told, copy!.abandoned]).toEqual([1, true])
  })

  it('abandons nothing that a queue answers for', () => {
    const { delivery, leave } = track(opaqueBatch(1), 100)
    const inner = replace(delivery, delivery.batch)
    let told = 0
    inner.onAbandoned(() => void told++)
    inner.admit()
    leave()
    inner.onAbandoned(() => void told++)
    expect([told, inner.abandoned, inner.deadline]).toEqual([0, false, Number.POSITIVE_INFINITY])
  })
})

describe('a delivery', () => {
  it('throws when it is settled twice', () => {
    const { delivery } = track(opaqueBatch(1))
    ack(delivery)
    expect(() => nack(delivery, failed('retry'))).toThrow('settled twice')
  })

  it('hears no answer after its outcome, nor a second one', () => {
    const settled = track(opaqueBatch(1))
    ack(settled.delivery)
    settled.delivery.admit()
    settled.delivery.refuse(failed('retry'))
    expect(settled.events).toEqual(['ok'])
    const admitted = track(opaqueBatch(1))
    admitted.delivery.admit()
    admitted.delivery.refuse(failed('retry'))
    admitted.delivery.admit()
    expect(admitted.events).toEqual(['admitted'])
  })

  it('does not become several of none', () => {
    expect(() => split(track(opaqueBatch(1)).delivery, [])).toThrow('at least one part')
  })

  it('is refused as soon as one part was, while the others are on their way', () => {
    const { delivery, events } = track(opaqueBatch(2))
    const [queued, full] = fanOut(delivery, 2)
    queued!.admit()
    nack(full!, failed('retry'))
    expect(events).toEqual(['refused:retry'])
    ack(queued!)
    expect(events).toEqual(['refused:retry', 'retry:retry'])
  })
})
