import { arenas } from '../otlp/arena.ts'
import type { Reservation } from './reservation.ts'
import { type CallStatus, GRPC } from './unary.ts'

/** One flag byte (compressed or not) and four of length come before every message (gRPC over HTTP/2, "Data Frames"). */
export const PREFIX_LENGTH = 5

const NOTHING = new Uint8Array(0)

/** The prefix of a message of `length` bytes. */
export function messagePrefix(length: number, compressed: boolean): Uint8Array {
  const prefix = new Uint8Array(PREFIX_LENGTH)
  prefix[0] = compressed ? 1 : 0
  prefix[1] = length >>> 24
  prefix[2] = length >>> 16
  prefix[3] = length >>> 8
  prefix[4] = length
  return prefix
}

/**
 * Takes the DATA of one unary message as it arrives, split anywhere, into one arena of the announced length, which whoever takes the message releases. A
 * length over the limit is refused at the prefix, before anything is reserved for it.
 */
export class MessageReader {
  /** The message as far as it has come; all of it once `complete`. */
  message: Uint8Array = NOTHING
  compressed = false
  readonly #limit: number
  readonly #reservation: Reservation | undefined
  /** Bytes still missing; -1 until the prefix is whole. */
  #missing = -1
  #prefix: Uint8Array | undefined
  #prefixFilled = 0

  /**
   * `limit` is in bytes, of the message as it is on the wire. With a `reservation` the message is its body, and is refused where there is no
   * room for it.
   */
  constructor(limit: number, reservation?: Reservation) {
    this.#limit = limit
    this.#reservation = reservation
  }

  get complete(): boolean {
    return this.#missing === 0
  }

  /** Takes the next bytes; a status says why the call cannot go on. */
  push(chunk: Uint8Array): CallStatus | undefined {
    let at = 0
    if (this.#missing < 0) {
      if (this.#prefix === undefined && chunk.length >= PREFIX_LENGTH) {
        at = PREFIX_LENGTH
        const problem = this.#open(chunk)
        if (problem !== undefined) return problem
      } else {
        this.#prefix ??= new Uint8Array(PREFIX_LENGTH)
        while (this.#prefixFilled < PREFIX_LENGTH && at < chunk.length)
          this.#prefix[this.#prefixFilled++] = chunk[at++]!
        if (this.#prefixFilled < PREFIX_LENGTH) return undefined
        const problem = this.#open(this.#prefix)
        if (problem !== undefined) return problem
      }
    }
    const length = chunk.length - at
    if (length > this.#missing) {
      return { code: GRPC.UNIMPLEMENTED, message: 'more than one message, or bytes after it, in a unary call' }
    }
    if (length > 0) {
      this.message.set(at === 0 ? chunk : chunk.subarray(at), this.message.length - this.#missing)
      this.#missing -= length
    }
    return undefined
  }

  /** Why a stream that ended here is not a whole call; undefined when it is. */
  problemAtEnd(): CallStatus | undefined {
    if (this.#missing === 0) return undefined
    if (this.#missing > 0) {
      const got = this.message.length - this.#missing
      return { code: GRPC.INTERNAL, message: `message ends after ${got} of ${this.message.length} bytes` }
    }
    if (this.#prefixFilled === 0) return { code: GRPC.UNIMPLEMENTED, message: 'no message in a unary call' }
    return { code: GRPC.INTERNAL, message: `message prefix ends after ${this.#prefixFilled} of ${PREFIX_LENGTH} bytes` }
  }

  #open(prefix: Uint8Array): CallStatus | undefined {
    const flag = prefix[0]!
    if (flag > 1) return { code: GRPC.INTERNAL, message: `message flag is ${flag}, expected 0 or 1` }
    const length = ((prefix[1]! << 24) | (prefix[2]! << 16) | (prefix[3]! << 8) | prefix[4]!) >>> 0
    if (length > this.#limit) {
      // Worded as grpc-go words it: people search for this sentence.
      return {
        code: GRPC.RESOURCE_EXHAUSTED,
        message: `grpc: received message larger than max (${length} vs. ${this.#limit})`,
        reason: 'too_large',
      }
    }
    this.compressed = flag === 1
    if (this.#reservation !== undefined) {
      const refusal = this.#reservation.take(length)
      if (refusal !== undefined) return refusal
      this.message = this.#reservation.body
    } else if (length > 0) {
      this.message = arenas.take(length)
    }
    this.#missing = length
    return undefined
  }
}
