import { arenas } from '../otlp/arena.ts'
import type { Admission, Refusal } from './admission.ts'
import { type CompressedForm, forgetForm, rememberForm } from './compressed-form.ts'

/** What is booked for a request before its body: the stream, its headers and the objects of the call. */
export const CALL_BYTES = 4096

const NOTHING = new Uint8Array(0)
/** The first arena of a body of unknown length. */
const FIRST_ROOM = 16_384

/** One request's share of the budget, and the memory that its body lies in. Held from the headers until its delivery has settled. */
export class Reservation {
  /** The body as far as it has come. */
  body: Uint8Array = NOTHING
  readonly #admission: Admission
  #bytes = 0
  #kib = 0
  #overdrawn = false
  /** Its length is not known yet. */
  #grows: boolean
  /** What `body` was decompressed from, where that is kept. */
  #form: Uint8Array | undefined

  constructor(admission: Admission, grows: boolean) {
    this.#admission = admission
    this.#grows = grows
  }

  /** Bytes booked, before they are rounded up. */
  get bytes(): number {
    return this.#bytes
  }

  /** Books `bytes` more, all or nothing; a refusal leaves what was booked before. */
  grow(bytes: number): Refusal | undefined {
    const kib = Math.ceil((this.#bytes + bytes) / 1024) - this.#kib
    if (this.#overdrawn) {
      this.#admission.overdraw(kib)
    } else if (kib > 0) {
      const booked = this.#admission.book(this, kib)
      if (typeof booked !== 'boolean') return booked
      this.#overdrawn = booked
    }
    this.#bytes += bytes
    this.#kib += kib
    return undefined
  }

  /** Gives back `bytes` of what was booked. */
  giveBack(bytes: number): void {
    this.#shrinkTo(this.#bytes - bytes)
  }

  /** Books a body of `length` bytes and takes memory for it. */
  take(length: number): Refusal | undefined {
    const refusal = this.grow(length)
    if (refusal === undefined && length > 0) this.body = arenas.take(length)
    return refusal
  }

  /**
   * Makes room for `length` bytes of a body of unknown length, of which `filled` are there. The room doubles, to at most
   * `limit` bytes, so that many small chunks cost no more than one large one.
   */
  widen(length: number, filled: number, limit: number): Refusal | undefined {
    if (length <= this.body.length) return undefined
    const room = Math.max(length, Math.min(limit, Math.max(FIRST_ROOM, this.body.length * 2)))
    const refusal = this.grow(room - this.body.length)
    if (refusal !== undefined) return refusal
    const wider = arenas.take(room)
    wider.set(this.body.subarray(0, filled))
    if (this.body.length > 0) arenas.release(this.body)
    this.body = wider
    return undefined
  }

  /** The body is `length` bytes and will be no longer. */
  end(length = this.body.length): void {
    if (length < this.body.length) this.body = this.body.subarray(0, length)
    this.#grown()
  }

  /** Puts what the body decompresses to, booked already, in its place, and keeps what came: see `compressedForm`. */
  unpack(body: Uint8Array, form: CompressedForm): void {
    // The room that a body of unknown length came in is up to twice as large, and is held with it.
    const room = Math.max(this.body.length, form.bytes.length)
    rememberForm(body, form)
    this.#form = form.bytes
    this.body = body
    this.#grown()
    this.#shrinkTo(Math.min(this.#bytes, CALL_BYTES + room + body.length))
  }

  /** Puts another body, made from this one and booked already, in its place; this one is given back. */
  replace(body: Uint8Array): void {
    if (this.body.length > 0) arenas.release(this.body)
    this.body = body
    this.#grown()
    this.#shrinkTo(Math.min(this.#bytes, CALL_BYTES + body.length))
  }

  /** Gives back the body and everything booked. Safe twice. */
  release(): void {
    if (this.#form !== undefined) {
      forgetForm(this.body)
      arenas.release(this.#form)
      this.#form = undefined
    }
    if (this.body.length > 0) arenas.release(this.body)
    this.body = NOTHING
    this.#grown()
    this.#shrinkTo(0)
    if (this.#overdrawn) this.#admission.endOverdraft()
    this.#overdrawn = false
  }

  #grown(): void {
    if (!this.#grows) return
    this.#grows = false
    this.#admission.grown(this)
  }

  #shrinkTo(bytes: number): void {
    const kib = Math.ceil(bytes / 1024)
    if (kib < this.#kib) this.#admission.refund(this.#kib - kib)
    this.#bytes = bytes
    this.#kib = kib
  }
}
