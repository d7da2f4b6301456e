import type { Random } from './random.ts'

/** Bytes with one to four things wrong, or merely different: what a reader must refuse or read, never trip over. */
export function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let mutated = Uint8Array.from(bytes)
  for (let n = 1 + random.below(4); n > 0; n--) mutated = mutateOnce(mutated, random)
  return mutated
}

function mutateOnce(bytes: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) return random.bytes(random.below(8))
  const at = random.below(bytes.length)
  switch (random.below(8)) {
    case 0:
      bytes[at]! ^= 1 << random.below(8)
      return bytes
    case 1:
      bytes[at] = random.pick([0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x12, 0x0b, 0x0c])
      return bytes
    case 2:
      return bytes.slice(0, at)
    case 3:
      return bytes.slice(at)
    case 4:
      // Off by a little is what lengths hate most.
      bytes[at]! += random.pick([-2, -1, 1, 2])
      return bytes
    case 5:
      return splice(bytes, at, random.below(4), random.bytes(random.below(4)))
    case 6: {
      const from = random.below(bytes.length)
      return splice(bytes, at, 0, bytes.slice(from, from + random.below(40)))
    }
    default:
      // A varint that goes on and on.
      return splice(bytes, at, 0, new Uint8Array(1 + random.below(12)).fill(0x80 | random.below(128)))
  }
}

function splice(bytes: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array<ArrayBuffer> {
  const rest = bytes.subarray(Math.min(bytes.length, at + remove))
  const result = new Uint8Array(at + insert.length + rest.length)
  result.set(bytes.subarray(0, at))
  result.set(insert, at)
  result.set(rest, at + insert.length)
  return result
}
