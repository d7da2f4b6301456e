import { expect, test } from 'vitest'
import { arenas } from '../../src/otlp/arena.ts'
import { SIGNALS, type Signal } from '../../src/otlp/batch.ts'
import { toJson } from '../../src/otlp/json.ts'
import { fromJson } from '../../src/otlp/json-input.ts'
import { validate } from '../../src/otlp/validate.ts'
import { WireError } from '../../src/otlp/wire-error.ts'
import { randomRequest } from './support/arbitraries.ts'
import { Random } from './support/random.ts'

/** A signal; 120 000 in all. */
const MUTATIONS = 30_000
/** Mutants of one document. */
const A_DOCUMENT = 50

const TOKENS = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '\\u',
  '\\ud83d',
  'null',
  'true',
  '-',
  '0',
  '1e9',
  '.',
  'e',
  ' ',
  '""',
  '{}',
  '[]',
]
  .map((token) => Buffer.from(token))
  .concat([Buffer.of(0), Buffer.of(0xff), Buffer.of(0xc3), Buffer.from('1'.repeat(30))])

/** JSON with one to three things wrong: bytes changed or cut out, tokens put in, pieces doubled, the end cut off. */
function mutate(json: Buffer, random: Random): Buffer {
  let mutant = json
  for (let n = 1 + random.below(3); n > 0; n--) {
    const at = random.below(mutant.length + 1)
    const [before, rest] = [mutant.subarray(0, at), mutant.subarray(at)]
    switch (random.below(5)) {
      case 0:
        mutant = Buffer.concat([before, random.pick(TOKENS), rest])
        break
      case 1:
        mutant = Buffer.concat([before, rest.subarray(1 + random.below(6))])
        break
      case 2:
        mutant = Buffer.concat([before, Buffer.of(random.below(256)), rest.subarray(1)])
        break
      case 3:
        mutant = Buffer.concat([before, rest.subarray(0, random.below(200)), rest])
        break
      default:
        mutant = random.chance(0.2) ? before : Buffer.concat([before, random.pick(TOKENS), rest.subarray(1)])
    }
  }
  return mutant
}

/** What the shortest spelling of a value can become: a digit and a comma eight bytes. */
const GROWTH = 4

test.each(SIGNALS)(
  'damaged %s documents end in a WireError or in a valid request, and hold no memory',
  (signal: Signal) => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    const random = new Random(seed)
    const held = arenas.held
    let accepted = 0
    let refused = 0
    for (let i = 0; i < MUTATIONS / A_DOCUMENT; i++) {
      const json = Buffer.from(toJson(signal, [randomRequest(signal, random, random.below(3)).bytes]))
      for (let j = 0; j < A_DOCUMENT; j++) {
        const mutant = mutate(json, random)
        const place = `seed ${seed}: ${mutant.toString()}`
        let bytes: Uint8Array
        try {
          bytes = fromJson(signal, mutant, { limit: 1 << 24 })
        } catch (error) {
          if (!(error instanceof WireError)) throw new Error(place, { cause: error })
          if (error.offset > mutant.length) throw new Error(`offset ${error.offset}: ${place}`, { cause: error })
          refused++
          continue
        }
        accepted++
        try {
          validate(signal, bytes)
        } catch (error) {
          throw new Error(place, { cause: error })
        }
        if (bytes.length > mutant.length * GROWTH) throw new Error(place)
        arenas.release(bytes)
      }
    }
    expect(arenas.held, `seed ${seed}`).toBe(held)
    expect(accepted + refused).toBe(MUTATIONS)
    // Were nearly all of one kind, the test would say nothing about the other.
    expect(accepted).toBeGreaterThan(MUTATIONS / 20)
    expect(refused).toBeGreaterThan(MUTATIONS / 20)
  },
  120_000,
)
