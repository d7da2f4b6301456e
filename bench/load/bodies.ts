import { gzipSync, constants as zlib, zstdCompressSync } from 'node:zlib'
import { request } from '../payload/payload.ts'
import { FreshIds, ID_BYTES, mark, type Places, placesOf, traceIdOffsets } from '../payload/trace-ids.ts'
import type { Coding, Load } from './protocol.ts'

export interface Body {
  /** Laid end to end: the request, in its gRPC frame where there is one. */
  readonly parts: readonly Buffer[]
  readonly bytes: number
  /** Of the request; 0 where it carries none. */
  readonly number: number
}

const FRAME = 5
/** Above this a body a slot takes too much memory, and slots share bodies. */
const OWN_BODIES = 256 << 20
/** So many are made; further slots have copies with other trace ids, for they take a hundredth of the time. */
const DISTINCT = 16

const COMPRESS: Readonly<Record<Coding, (bytes: Uint8Array) => Buffer>> = {
  gzip: (bytes) => gzipSync(bytes, { level: zlib.Z_DEFAULT_COMPRESSION }),
  zstd: (bytes) => zstdCompressSync(bytes),
}

/** True where every request has a number of its own that the sink finds in what arrives. */
export function numbered(load: Load): boolean {
  return load.signal === 'traces' && load.compression === undefined
}

/** The bodies of a load, one a slot at a time: a slot's body is written anew once the request before it was answered. */
export class Bodies {
  readonly #bodies: Buffer[] = []
  readonly #fresh: FreshIds[] = []
  readonly #shared: boolean
  /** Where the ids of each distinct body are. */
  readonly #places: readonly Places[]
  readonly #numbered: boolean
  #last = 0

  constructor(load: Load, slots: number) {
    const frame = load.protocol === 'grpc' ? FRAME : 0
    this.#numbered = numbered(load)
    this.#shared = load.compression !== undefined || slots * load.items * load.itemBytes > OWN_BODIES
    const distinct = Math.min(slots, DISTINCT)
    const places: Places[] = []
    for (let seed = 1; seed <= distinct; seed++) {
      const plain = request(load, seed)
      const sent = load.compression === undefined ? plain : COMPRESS[load.compression](plain)
      const body = Buffer.alloc(frame + sent.length)
      if (frame > 0) {
        body[0] = load.compression === undefined ? 0 : 1
        body.writeUInt32BE(sent.length, 1)
      }
      body.set(sent, frame)
      this.#bodies.push(body)
      if (load.compression !== undefined) continue
      places.push(placesOf(body, traceIdOffsets(load.signal, plain), frame))
    }
    this.#places = places
    if (this.#shared) return
    for (let slot = 0; slot < slots; slot++) {
      const own = slot < distinct ? this.#bodies[slot]! : Buffer.from(this.#bodies[slot % distinct]!)
      this.#bodies[slot] = own
      this.#fresh.push(new FreshIds(own, places[slot % distinct]!, slot + 1))
    }
  }

  /** What goes over the wire, for the sink to know again without decompressing it. */
  get wire(): readonly Buffer[] {
    return this.#bodies
  }

  take(slot: number): Body {
    const index = slot % this.#bodies.length
    const body = this.#bodies[index]!
    if (!this.#shared) {
      const number = ++this.#last
      this.#fresh[index]!.write(number)
      return { parts: [body], bytes: body.length, number: this.#numbered ? number : 0 }
    }
    if (!this.#numbered) return { parts: [body], bytes: body.length, number: 0 }
    // Other requests with the same body are under way: only the first trace is fresh, in a copy of all up to it.
    const number = ++this.#last
    const ids = this.#places[index]!.first
    const end = ids.at(-1)! + ID_BYTES
    const head = Buffer.from(body.subarray(0, end))
    mark(head, ids, number)
    return { parts: [head, body.subarray(end)], bytes: body.length, number }
  }
}
