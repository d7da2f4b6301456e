import { hashBytes, hashPair } from '../otlp/hash.ts'

/** Places that keys fall into. With 64 members the fullest has about a tenth more than its share. */
const PLACES = 1 << 16

/**
 * Which member owns a key: the lanes of a process, or the instances of a tier. Everybody who knows the same names, in whatever order,
 * comes to the same answer, on any machine.
 *
 * Keys fall into 65,536 places by their hash, and each place goes to the member with the highest hash of name and place together
 * (rendezvous hashing: Thaler and Ravishankar, "Using name-based mappings to increase hit rates", IEEE/ACM Transactions on
 * Networking 6(1), 1998). So a member that comes takes an equal part from each of the others, one that goes leaves
 * to each of them an equal part of its own, and no other key moves. Looking a key up is one load from a table, whatever the
 * number of members; making the table takes 65,536 hashes a member.
 */
export class Ring {
  readonly members: readonly string[]
  readonly #owners: Uint16Array

  /** `members`: at least one, at most 65,536, all different. */
  constructor(members: readonly string[]) {
    if (members.length === 0) throw new RangeError('a ring has at least one member')
    if (new Set(members).size !== members.length) throw new RangeError('a member of a ring is named twice')
    this.members = members
    this.#owners = new Uint16Array(PLACES)
    const names = members.map((name) => {
      const bytes = new TextEncoder().encode(name)
      return hashBytes(bytes, 0, bytes.length)
    })
    // Where two hashes of names are equal their owners are too, for every place: the order of names decides then, not that of the list.
    const order = members.map((_, index) => index).sort((a, b) => (members[a]! < members[b]! ? -1 : 1))
    for (let place = 0; place < PLACES; place++) {
      let highest = -1
      let owner = 0
      for (const index of order) {
        const weight = hashPair(names[index]!, place) >>> 0
        if (weight <= highest) continue
        highest = weight
        owner = index
      }
      this.#owners[place] = owner
    }
  }

  /** Index in `members` of the owner of a key with this hash (`hashBytes`). */
  ownerOf(hash: number): number {
    return this.#owners[hash >>> 16]!
  }
}

/** The ring over a process's lanes. A lane that is replaced keeps its place in it. */
export function laneRing(lanes: number): Ring {
  return new Ring(Array.from({ length: lanes }, (_, lane) => `lane-${lane}`))
}
