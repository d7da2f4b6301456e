import { expect, test } from 'vitest'
import { ConnectionShare } from '../../src/transport/connection-share.ts'
import { ConnectionSpreader } from '../../src/transport/connection-spreader.ts'

/** Lanes with so many connections each at one address; undefined does not listen there. */
function lanes(...counts: readonly (number | undefined)[]): {
  readonly memory: SharedArrayBuffer
  readonly shares: readonly ConnectionShare[]
} {
  const memory = ConnectionShare.memory()
  const shares = counts.map((count, lane) => {
    const share = new ConnectionShare(memory, 0, lane)
    if (count !== undefined) share.listens(true)
    for (let i = 0; i < (count ?? 0); i++) share.opened()
    return share
  })
  return { memory, shares }
}

test.each([
  // Moving one of these would only turn them round.
  [
    [1, 0],
    [0, 0],
  ],
  [
    [2, 1],
    [0, 0],
  ],
  [
    [4, 0],
    [2, 0],
  ],
  [
    [3, 1],
    [1, 0],
  ],
  [
    [2, 2],
    [0, 0],
  ],
  // Within a fifth of the share.
  [
    [9, 7],
    [0, 0],
  ],
  [
    [10, 6],
    [2, 0],
  ],
  [
    [2, 1, 1, 0],
    [1, 0, 0, 0],
  ],
  // A lane that does not listen has no share.
  [
    [4, undefined],
    [0, 0],
  ],
  [
    [4, undefined, 0],
    [2, 0, 0],
  ],
] as const)('with %j connections the lanes part with %j', (counts, surplus) => {
  expect(lanes(...counts).shares.map((share) => share.surplus)).toEqual(surplus)
})

test('servers are counted by themselves, and a lane that is lost counts no more', () => {
  const { memory, shares } = lanes(4, 0)
  const other = new ConnectionShare(memory, 1, 0)
  other.listens(true)
  expect([shares[0]?.own, other.own, other.surplus]).toEqual([4, 0, 0])
  ConnectionShare.forget(memory, 1)
  expect(shares[0]?.surplus).toBe(0)
  ConnectionShare.forget(memory, 0)
  expect(shares[0]?.own).toBe(0)
})

test('what closes after the lane has stopped listening makes no other count wrong', () => {
  const { shares } = lanes(2, 2)
  shares[0]?.listens(false)
  shares[0]?.closed()
  shares[0]?.closed()
  expect([shares[0]?.own, shares[1]?.surplus]).toEqual([0, 0])
})

test('a lane parts with its surplus some times in a row, and then seldom: clients may have no choice', () => {
  const parted: number[] = []
  const spreader = new ConnectionSpreader(lanes(4, 0).shares[0]!, (count) => parted.push(count))
  let now = 1000
  const looks = (times: number): number => {
    const before = parted.length
    for (let i = 0; i < times; i++) {
      now += 150
      spreader.look(now)
    }
    return parted.length - before
  }
  expect(looks(20)).toBe(12)
  expect(parted).toEqual(Array(12).fill(2))
  now += 10_000
  expect(looks(5)).toBe(1)
  now += 60_000
  expect(looks(20)).toBe(6)
})

test('a lane without a surplus calls off what it has not parted with yet', () => {
  const parted: number[] = []
  const { shares } = lanes(4, 0)
  const spreader = new ConnectionSpreader(shares[0]!, (count) => parted.push(count))
  spreader.look(0)
  shares[1]?.opened()
  shares[1]?.opened()
  shares[1]?.opened()
  spreader.look(150)
  expect(parted).toEqual([2, 0])
})
