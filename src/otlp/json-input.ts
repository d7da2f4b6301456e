import type { Signal } from './batch.ts'
import { JsonCursor, quoted } from './json-cursor.ts'
import * as fields from './json-fields.ts'
import * as number from './json-number.ts'
import { isInRange, rangeOf } from './json-range.ts'
import * as text from './json-text.ts'
import { type OutputLimits, ProtoOutput } from './proto-output.ts'
import { NOTHING } from './text.ts'
import { MAX_NESTING } from './validate.ts'
import { parseFloat64 } from './value-text.ts'
import { NoRoomError } from './wire-error.ts'

const { KIND, isAt } = fields
const { skipSpace } = text
const { MESSAGE, STRING, ID, BOOL, DOUBLE, ENUM, UINT32, SINT32, FIXED32, SFIXED64, FIXED64 } = KIND
const { INTEGER } = number

type Field = fields.JsonInputField

/** Characters that a number in quotes may take. */
const MAX_NUMBER_LENGTH = 400

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const LOWER_N = 0x6e
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/**
 * One OTLP/JSON document (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding) as the protobuf bytes of the request, in
 * pooled memory, held once. One pass over the text, straight to the output: no strings, no objects.
 *
 * Taken are lowerCamelCase and snake_case names in any order; integers as numbers or strings, in exponent form where they are
 * whole, with all their digits; ids in hexadecimal; other bytes in either base64 alphabet; enums by number or name. `null` is absence, and
 * keys that the schema does not have are skipped. Of a key that comes twice the last counts, lists are joined, messages merged.
 *
 * Throws WireError with offset and path of what it cannot take, of messages nested past `MAX_NESTING`; NoRoomError where the
 * protobuf form does not fit `limits`.
 */
export function fromJson(signal: Signal, json: Uint8Array, limits: OutputLimits): Uint8Array {
  return reader.read(signal, json, limits)
}

class Reader extends JsonCursor {
  readonly #output = new ProtoOutput()
  /** Where the double that was read last ended. */
  #after = 0

  read(signal: Signal, json: Uint8Array, limits: OutputLimits): Uint8Array {
    this.input = Buffer.from(json.buffer, json.byteOffset, json.byteLength)
    this.end = json.byteLength
    this.depth = 0
    // Spans without spaces between their tokens become half as long.
    const expected = (json.byteLength * 5) >> 3
    if (!this.#output.begin(Math.max(64, expected), limits)) throw this.#noRoom(0)
    try {
      let at = skipSpace(this.input, 0, this.end)
      at = this.isNull(at) ? at + 4 : this.#message(fields.JSON_REQUESTS[signal], at)
      at = skipSpace(this.input, at, this.end)
      if (at < this.end) throw this.error(at, 'the end of the document', this.seen(at))
    } catch (error) {
      this.#output.drop()
      throw error
    } finally {
      this.input = NOTHING
    }
    return this.#output.take()
  }

  /** Reads the object at `at` and returns where it ends. */
  #message(message: fields.JsonInputMessage, at: number): number {
    const input = this.input
    const end = this.end
    if (input[at] !== OPEN_BRACE) throw this.error(at, 'an object', this.seen(at))
    if (this.depth >= MAX_NESTING) throw this.nested(at, MAX_NESTING)
    let seen = 0
    let choiceAt = 0
    let choiceEnd = 0
    let previous: fields.Spelling | undefined
    let p = skipSpace(input, at + 1, end)
    if (input[p] === CLOSE_BRACE) return p + 1
    for (;;) {
      if (input[p] !== QUOTE) throw this.error(p, 'a key', this.seen(p))
      const usual = previous === undefined ? message.first : previous.next
      let key = usual
      let keyEnd = usual === undefined ? 0 : p + 1 + usual.bytes.length
      if (usual === undefined || input[keyEnd] !== QUOTE || !isAt(usual.bytes, input, p + 1)) {
        keyEnd = this.stringEnd(p)
        key = text.hasEscapes ? this.#escapedKey(message, p + 1, keyEnd) : message.find(input, p + 1, keyEnd)
        if (previous === undefined) message.first = key
        else if (key !== undefined) previous.next = key
      }
      previous = key
      const field = key?.field
      p = keyEnd + 1
      if (input[p] !== COLON) {
        p = skipSpace(input, p, end)
        if (input[p] !== COLON) throw this.error(p, '":"', this.seen(p))
      }
      p = skipSpace(input, p + 1, end)
      if (field === undefined) p = this.skip(p, 0)
      else if (input[p] === LOWER_N && this.isNull(p)) {
        if ((seen & field.bit) !== 0) this.#reset(field)
        p += 4
      } else if (field.repeated) {
        this.enter(field)
        p = this.#list(field, p)
        this.depth--
      } else {
        const again = (seen & field.clash) !== 0
        if (again) {
          // What else comes twice stands twice in the bytes, and protobuf's readers merge it as pdata does.
          if (field.oneof) {
            this.#output.cut(choiceAt, choiceEnd)
            seen &= ~field.clash
          }
        }
        seen |= field.bit
        const before = this.#output.length
        this.enter(field)
        p = this.#value(field, p, field.presence || again)
        this.depth--
        if (field.oneof) {
          choiceAt = before
          choiceEnd = this.#output.length
        }
      }
      p = skipSpace(input, p, end)
      const next = input[p]
      if (next === CLOSE_BRACE) return p + 1
      if (next !== COMMA) throw this.error(p, '"," or "}"', this.seen(p))
      p = skipSpace(input, p + 1, end)
    }
  }

  #list(field: Field, at: number): number {
    const input = this.input
    const end = this.end
    if (input[at] !== OPEN_BRACKET) throw this.error(at, 'a list', this.seen(at))
    let p = skipSpace(input, at + 1, end)
    if (input[p] === CLOSE_BRACKET) return p + 1
    const { kind } = field
    const packed = kind > ID
    const level = this.depth - 1
    const width = field.lengthWidth
    let mark = 0
    if (packed) mark = this.#open(field)
    for (let index = 0; ; index++) {
      this.indices[level] = index
      p = packed ? this.#scalar(field, p, true) : this.#value(field, p, true)
      p = skipSpace(input, p, end)
      const next = input[p]
      if (next === CLOSE_BRACKET) break
      if (next !== COMMA) throw this.error(p, '"," or "]"', this.seen(p))
      p = skipSpace(input, p + 1, end)
    }
    if (packed) this.#close(field, mark, width)
    return p + 1
  }

  /** Reads one value with its tag. `always`: it is written although it is the default. */
  #value(field: Field, at: number, always: boolean): number {
    const output = this.#output
    const { kind } = field
    if (kind === MESSAGE) {
      const width = field.lengthWidth
      const mark = this.#open(field)
      // In a list a null is an element of its own, without content.
      const p = this.input[at] === LOWER_N && this.isNull(at) ? at + 4 : this.#message(field.message!, at)
      this.#close(field, mark, width)
      return p
    }
    if (kind > ID) {
      const before = output.length
      this.#reserve(at, 16)
      output.varint32(field.tag)
      const content = output.length
      const p = this.#scalar(field, at, always)
      if (output.length === content) output.length = before
      return p
    }
    return this.#bytesValue(field, at, always)
  }

  /** Writes the default of a field that had a value before and now has null. */
  #reset(field: Field): void {
    const { kind } = field
    if (kind === MESSAGE || field.presence) return
    const output = this.#output
    this.#reserve(0, 16)
    output.varint32(field.tag)
    if (kind === DOUBLE || kind === FIXED64 || kind === SFIXED64) output.double(0)
    else if (kind === FIXED32) output.fixed32(0)
    else output.varint32(0)
  }

  #open(field: Field): number {
    const output = this.#output
    this.#reserve(0, 16)
    output.varint32(field.tag)
    const mark = output.length
    output.length += field.lengthWidth
    return mark
  }

  #close(field: Field, mark: number, width: number): void {
    this.#reserve(0, 8)
    field.lengthWidth = this.#output.closeLength(mark, width)
  }

  /** A string, an id or bytes. */
  #bytesValue(field: Field, at: number, always: boolean): number {
    const output = this.#output
    let input = this.input
    if (input[at] !== QUOTE) {
      const expected =
        field.kind === STRING ? 'a string' : field.kind === ID ? 'an id as a string' : 'base64 in a string'
      // In a list a null is an element of its own, without content.
      if (!this.isNull(at)) throw this.error(at, expected, this.seen(at))
      this.#reserve(at, 16)
      output.varint32(field.tag)
      output.varint32(0)
      return at + 4
    }
    let start = at + 1
    let stop = this.stringEnd(at)
    const next = stop + 1
    if (text.hasEscapes) {
      input = this.unescaped(start, stop)
      start = 0
      stop = input.length
    }
    if (start === stop && !always) return next
    this.#reserve(at, stop - start + 16)
    output.varint32(field.tag)
    if (field.kind === STRING) {
      output.varint32(stop - start)
      output.copy(input, start, stop)
    } else if (field.kind === ID) this.#id(field, at, input, start, stop)
    else this.#base64(at, input, start, stop)
    return next
  }

  #id(field: Field, at: number, input: Buffer, start: number, stop: number): void {
    const output = this.#output
    const digits = stop - start
    if (digits !== 0 && digits !== field.idLength * 2) {
      throw this.error(at, `${field.idLength * 2} hexadecimal digits`, `${digits} characters`)
    }
    output.varint32(digits >> 1)
    const { bytes } = output
    let out = output.length
    for (let p = start; p < stop; p += 2) {
      const byte = (text.hexDigit(input[p]!) << 4) | text.hexDigit(input[p + 1]!)
      if (byte < 0) {
        throw this.error(at, `${field.idLength * 2} hexadecimal digits`, quoted(input, start, stop))
      }
      bytes[out++] = byte
    }
    output.length = out
  }

  #base64(at: number, input: Buffer, start: number, stop: number): void {
    const output = this.#output
    let last = stop
    while (last > start && stop - last < 2 && input[last - 1] === 0x3d) last--
    const length = text.base64Length(last - start)
    output.varint32(Math.max(0, length))
    if (length < 0 || !text.decodeBase64(input, start, last, output.bytes, output.length)) {
      throw this.error(at, 'base64', quoted(input, start, stop))
    }
    output.length += length
  }

  /** A scalar that is neither text nor bytes, without its tag. Nothing is written for a default that is not to be. */
  #scalar(field: Field, at: number, always: boolean): number {
    const output = this.#output
    const { kind } = field
    this.#reserve(at, 16)
    if (kind === DOUBLE) {
      const value = this.#double(at)
      if (value !== 0 || always || Object.is(value, -0)) output.double(value)
      return this.#after
    }
    if (kind === BOOL) {
      const yes = this.isWord(at, 'true')
      if (!yes && !this.isWord(at, 'false')) throw this.error(at, 'true or false', this.seen(at))
      if (yes || always) output.varint32(yes ? 1 : 0)
      return at + (yes ? 4 : 5)
    }
    if (kind === ENUM && this.input[at] === QUOTE) return this.#enumName(field, at, always)
    const p = this.#integer(kind, at)
    const { low, high, negative } = number
    if (low === 0 && high === 0 && !always) return p
    if (kind === FIXED32) output.fixed32(low)
    else if (kind === UINT32) output.varint32(low)
    else if (kind === SINT32) output.varint32(negative && low > 0 ? low * 2 - 1 : low * 2)
    else {
      const lower = negative ? -low >>> 0 : low
      const upper = negative ? (~high + (low === 0 ? 1 : 0)) >>> 0 : high
      if (kind === FIXED64 || kind === SFIXED64) {
        output.fixed32(lower)
        output.fixed32(upper)
      } else output.varint64(lower, upper)
    }
    return p
  }

  #enumName(field: Field, at: number, always: boolean): number {
    const stop = this.stringEnd(at)
    const name = text.hasEscapes ? this.unescaped(at + 1, stop) : this.input.subarray(at + 1, stop)
    const value = name.length > 64 ? undefined : field.values.get(name.toString('latin1'))
    if (value === undefined) throw this.error(at, `a number or a name such as ${firstName(field)}`, this.seen(at))
    if (value !== 0 || always) this.#output.varint32(value)
    return stop + 1
  }

  /** Reads an integer, also in quotes, into `json-number.ts` and checks its range; where it ends. */
  #integer(kind: number, at: number): number {
    let input = this.input
    let result: number
    let next: number
    if (input[at] === QUOTE) {
      let start = at + 1
      let stop = this.stringEnd(at)
      next = stop + 1
      if (text.hasEscapes) {
        input = this.unescaped(start, stop)
        start = 0
        stop = input.length
      }
      result = number.readInteger(input, start, stop)
      if (result === INTEGER.NONE || (result === INTEGER.OK && number.after !== stop)) {
        result = number.parseQuotedInteger(input.toString('latin1', start, stop))
      }
    } else {
      result = number.readInteger(input, at, this.end)
      next = number.after
    }
    if (result !== INTEGER.OK || !isInRange(kind)) throw this.error(at, rangeOf(kind), this.seen(at))
    return next
  }

  /** Reads a double, also in quotes; `#after` is where it ends. */
  #double(at: number): number {
    const input = this.input
    if (input[at] !== QUOTE) {
      const value = number.readDouble(input, at, this.end)
      if (!Number.isFinite(value)) throw this.error(at, 'a number that a double holds', this.seen(at))
      this.#after = number.after
      return value
    }
    const stop = this.stringEnd(at)
    this.#after = stop + 1
    const content = text.hasEscapes ? this.unescaped(at + 1, stop) : input.subarray(at + 1, stop)
    const value = content.length > MAX_NUMBER_LENGTH ? undefined : parseFloat64(content.toString('latin1'))
    if (value === undefined) throw this.error(at, 'a number, "NaN", "Infinity" or "-Infinity"', this.seen(at))
    return value
  }

  #escapedKey(message: fields.JsonInputMessage, start: number, end: number): fields.Spelling | undefined {
    const key = this.unescaped(start, end)
    return message.find(key, 0, key.length)
  }

  #reserve(at: number, bytes: number): void {
    if (!this.#output.reserve(bytes)) throw this.#noRoom(at)
  }

  #noRoom(at: number): NoRoomError {
    return new NoRoomError(at, 'as protobuf the document is larger than a request may be')
  }
}

function firstName(field: Field): string {
  return field.values.keys().next().value ?? ''
}

const reader = new Reader()
