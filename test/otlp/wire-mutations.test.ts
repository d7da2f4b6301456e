import { expect, test } from 'vitest'
import { tryMutations } from './mutations.ts'

/** A million in all; ten million in test/long/wire-mutations.ts. */
const MUTATIONS = 340_000

test.each(['traces', 'metrics', 'logs'] as const)(
  'damaged %s end in a WireError or in what protobuf-es reads',
  (signal) => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    const { accepted, refused, compared } = tryMutations(signal, MUTATIONS, seed)
    expect(accepted + refused).toBe(MUTATIONS)
    // Were nearly all of one kind, the test would say nothing about the other.
    expect(accepted).toBeGreaterThan(MUTATIONS / 20)
    expect(refused).toBeGreaterThan(MUTATIONS / 20)
    expect(compared).toBeGreaterThan(1000)
  },
  300_000,
)
