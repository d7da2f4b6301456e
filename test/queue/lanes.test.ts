// One queue size for the exporters of several lanes. What this does not show: threads (test/memory/shared-board.test.ts).
import { describe, expect, it } from 'vitest'
import { SharedBoard } from '../../src/memory/shared-board.ts'
import type { QueueConfig } from '../../src/queue/fields.ts'
import { opaqueBatch } from '../support/deliveries.ts'
import { settled } from '../support/fake-clock.ts'
import { OK, rig } from './support.ts'

function lanes(count: number, queue: Partial<QueueConfig>) {
  const memory = SharedBoard.memory()
  const start = (index: number) => {
    const board = new SharedBoard(memory, index + 1)
    return rig(queue, {}, {}, { lane: { index, count }, shared: (name) => board.piece(name) })
  }
  return {
    all: Array.from({ length: count }, (_, index) => start(index)),
    /** The thread of the lane has ended; another takes its slot where `start` is called. */
    lose: (index: number) => new SharedBoard(memory, 0).forget(index + 1),
    start,
  }
}

/** How many of ten batches are taken. */
function taken({ give }: ReturnType<typeof rig>): number {
  return Array.from({ length: 10 }, () => give(opaqueBatch(1))).filter(({ events }) => events[0] === 'admitted').length
}

describe('queue_size', () => {
  it('is for all lanes, and one more for each that holds nothing', async () => {
    const { all } = lanes(3, { queue_size: 4 })
    const [one, two, three] = all
    expect([taken(one!), taken(two!), taken(three!)]).toEqual([4, 1, 1])
    expect(two!.give(opaqueBatch(1)).outcome).toMatchObject({
      failure: { reason: 'queue_full', message: expect.stringContaining('the queue is full (6 of 4 requests') },
    })
    for (const attempt of one!.peer.attempts) attempt.end(OK)
    await settled()
    // Two are held already, by the others, which then hold four.
    expect([taken(two!), taken(three!), taken(one!)]).toEqual([2, 0, 1])
  })

  it('counts items and bytes over all lanes, too', () => {
    const items = lanes(2, { queue_size: 100, sizer: 'items' }).all
    items[0]!.give(opaqueBatch(90))
    items[1]!.give(opaqueBatch(5))
    expect(items[1]!.give(opaqueBatch(6)).events).toEqual(['retry:queue_full'])
    expect(items[1]!.give(opaqueBatch(5)).events).toEqual(['admitted'])

    const MIB = 1 << 20
    const large = (mib: number) => ({ ...opaqueBatch(1), byteLength: mib * MIB })
    const bytes = lanes(2, { queue_size: 4000 * MIB, sizer: 'bytes' }).all
    bytes[0]!.give(large(3000))
    bytes[1]!.give(large(500))
    expect(bytes[1]!.give(large(501)).events).toEqual(['retry:queue_full'])
    expect(bytes[1]!.give(large(500)).events).toEqual(['admitted'])

    const beside = lanes(2, { queue_size_bytes: 10 * MIB }).all
    beside[0]!.give(large(6))
    beside[1]!.give(large(1))
    expect(beside[1]!.give(large(4)).events).toEqual(['retry:queue_full'])
  })

  it('has nothing of a lane that died, nor for the one that takes its slot', () => {
    const { all, lose, start } = lanes(2, { queue_size: 5 })
    expect(taken(all[0]!)).toBe(5)
    expect(taken(all[1]!)).toBe(1)
    lose(0)
    expect(taken(all[1]!)).toBe(4)
    lose(1)
    expect(taken(start(0))).toBe(5)
  })

  it('lets those in that wait in a lane when what it holds leaves, however full the others are', async () => {
    const { all } = lanes(2, { queue_size: 2, block_on_overflow: true })
    const [one, two] = all
    const others = [one!.give(opaqueBatch(1)), one!.give(opaqueBatch(1))]
    expect(others.map(({ events }) => events[0])).toEqual(['admitted', 'admitted'])
    const first = two!.give(opaqueBatch(1))
    const second = two!.give(opaqueBatch(1))
    expect([first.events, second.events]).toEqual([['admitted'], []])
    two!.peer.attempts[0]!.end(OK)
    await settled()
    expect(second.events).toEqual(['admitted'])
  })

  it('is said to be used up before a batch is read', () => {
    const { all } = lanes(2, { queue_size: 3 })
    const [one, two] = all
    const arriving = { signal: 'traces', bytes: 0, ahead: 0, aheadBytes: 0 } as const
    expect(taken(one!)).toBe(3)
    const refuses = (each: typeof one) => each!.exporter.refusing?.(arriving) !== undefined
    expect([refuses(one), refuses(two)]).toEqual([true, false])
    expect(taken(two!)).toBe(1)
    expect(refuses(two)).toBe(true)
  })
})
