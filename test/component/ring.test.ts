import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { laneRing, Ring } from '../../src/component/ring.ts'
import { hashBytes } from '../../src/otlp/hash.ts'

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `gateway-${i}:4317`)

/** Owners of every place, by name. */
function ownership(ring: Ring): string[] {
  return Array.from({ length: 65_536 }, (_, place) => ring.members[ring.ownerOf(place << 16)]!)
}

function shares(owners: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const owner of owners) counts.set(owner, (counts.get(owner) ?? 0) + 1)
  return counts
}

describe('balance', () => {
  // The spread of a binomial distribution: four standard deviations of it.
  test.each([1, 2, 3, 4, 8, 16, 64])('%d members own about the same number of places', (count) => {
    const mean = 65_536 / count
    const bound = 4 * Math.sqrt(mean * (1 - 1 / count)) + 1
    const counts = shares(ownership(new Ring(names(count))))
    expect(counts.size).toBe(count)
    for (const owned of counts.values()) expect(Math.abs(owned - mean)).toBeLessThan(bound)
  })

  test('trace ids that count up fall evenly, as random ones do', () => {
    const ring = laneRing(4)
    const id = Buffer.alloc(16)
    const counts = [0, 0, 0, 0]
    for (let i = 0; i < 40_000; i++) {
      id.writeUInt32BE(i, 12)
      counts[ring.ownerOf(hashBytes(id, 0, 16))]!++
    }
    // The share of places that a lane has, and four standard deviations around it.
    const owned = shares(ownership(ring))
    for (const [lane, count] of counts.entries()) {
      const expected = (40_000 * owned.get(`lane-${lane}`)!) / 65_536
      expect(Math.abs(count - expected)).toBeLessThan(4 * Math.sqrt(expected))
    }
  })
})

describe('movement', () => {
  test.each([2, 4, 9])('a member that comes to %d takes from each, and nothing moves between the others', (count) => {
    const before = ownership(new Ring(names(count)))
    const after = ownership(new Ring([...names(count), 'newcomer']))
    const moved = before.filter((owner, place) => owner !== after[place])
    expect(moved.length).toBe(after.filter((owner) => owner === 'newcomer').length)
    expect(shares(moved).size).toBe(count)
    const mean = 65_536 / (count + 1)
    expect(Math.abs(moved.length - mean)).toBeLessThan(4 * Math.sqrt(mean))
  })

  test('only what it had moves when a member goes, to all the others', () => {
    const all = names(5)
    const before = ownership(new Ring(all))
    const after = ownership(new Ring(all.filter((name) => name !== all[2])))
    const moved = after.filter((owner, place) => owner !== before[place])
    expect(moved.length).toBe(before.filter((owner) => owner === all[2]).length)
    expect(shares(moved).size).toBe(4)
  })
})

test('whoever knows the same names agrees, whatever their order', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(names(6), { minLength: 6 }), (shuffled) => {
      expect(ownership(new Ring(shuffled))).toEqual(ownership(new Ring(names(6))))
    }),
    { numRuns: 5 },
  )
})

test('owners stay what they are from version to version', () => {
  const ring = laneRing(4)
  expect([0, 1, 2, 1000, 30_000, 65_535].map((place) => ring.ownerOf(place << 16))).toMatchInlineSnapshot(`
    [
      3,
      2,
      1,
      2,
      1,
      2,
    ]
  `)
})

test('a ring needs members with names of their own', () => {
  expect(() => new Ring([])).toThrow(RangeError)
  expect(() => new Ring(['a', 'b', 'a'])).toThrow(RangeError)
})
