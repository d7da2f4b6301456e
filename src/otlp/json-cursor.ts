import type { JsonInputField } from './json-fields.ts'
import * as number from './json-number.ts'
import * as text from './json-text.ts'
import { NOTHING } from './text.ts'
import { WireError } from './wire-error.ts'

const { skipSpace } = text

/** How deep objects and lists may lie in each other under a key that is skipped. */
const MAX_SKIPPED_NESTING = 100

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** A JSON text that is read from front to back: its tokens, and what is said of those that should not be there. */
export class JsonCursor {
  input: Buffer = NOTHING
  end = 0
  /** The way to what is read: the fields, and of lists the element's index. */
  readonly fields: JsonInputField[] = []
  readonly indices: number[] = []
  depth = 0

  /** The content of a string without its escapes. */
  unescaped(start: number, end: number): Buffer {
    const content = Buffer.allocUnsafe(end - start)
    const length = text.unescaped(this.input, start, end, content, 0)
    if (length < 0) throw this.error(text.badEscapeAt, 'an escape', quoted(this.input, text.badEscapeAt, end))
    return content.subarray(0, length)
  }

  /** Skips a value of any kind. */
  skip(at: number, depth: number): number {
    const input = this.input
    const end = this.end
    const first = input[at]
    if (first === QUOTE) return this.stringEnd(at) + 1
    if (first === OPEN_BRACE || first === OPEN_BRACKET) {
      if (depth >= MAX_SKIPPED_NESTING) throw this.nested(at, MAX_SKIPPED_NESTING)
      const close = first === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET
      let p = skipSpace(input, at + 1, end)
      if (input[p] === close) return p + 1
      for (;;) {
        if (first === OPEN_BRACE) {
          if (input[p] !== QUOTE) throw this.error(p, 'a key', this.seen(p))
          p = skipSpace(input, this.skip(p, depth), end)
          if (input[p] !== COLON) throw this.error(p, '":"', this.seen(p))
          p = skipSpace(input, p + 1, end)
        }
        p = skipSpace(input, this.skip(p, depth + 1), end)
        if (input[p] === close) return p + 1
        if (input[p] !== COMMA) throw this.error(p, `"," or "${String.fromCharCode(close)}"`, this.seen(p))
        p = skipSpace(input, p + 1, end)
      }
    }
    if (this.isNull(at) || this.isWord(at, 'true')) return at + 4
    if (this.isWord(at, 'false')) return at + 5
    if (Number.isNaN(number.readDouble(input, at, end))) throw this.error(at, 'a value', this.seen(at))
    return number.after
  }

  /** Position of the quote that ends the string at `at`. */
  stringEnd(at: number): number {
    const stop = text.stringEnd(this.input, at + 1, this.end)
    if (stop < 0) throw this.error(at, 'the end of a string', 'the end of the document')
    return stop
  }

  isNull(at: number): boolean {
    return this.isWord(at, 'null')
  }

  isWord(at: number, word: string): boolean {
    for (let i = 0; i < word.length; i++) if (this.input[at + i] !== word.charCodeAt(i)) return false
    return true
  }

  /** What is read from here on is in `field`; `depth` goes back by one when it has been read. */
  enter(field: JsonInputField): void {
    this.fields[this.depth] = field
    this.indices[this.depth] = -1
    this.depth++
  }

  /** What to throw of too much nesting. */
  nested(at: number, most: number): WireError {
    return new WireError(at, `${this.path()}: nested more than ${most} deep`)
  }

  /** What to throw where something else stands than what is expected. */
  error(at: number, expected: string, seen: string): WireError {
    const path = this.path()
    return new WireError(at, `${path === '' ? '' : `${path}: `}expected ${expected}, got ${seen}`)
  }

  path(): string {
    let path = ''
    for (let level = 0; level < this.depth; level++) {
      const index = this.indices[level]!
      path += `${level > 0 ? '.' : ''}${this.fields[level]!.name}${index < 0 ? '' : `[${index}]`}`
    }
    return path
  }

  /** What stands at `at`, for a message. */
  seen(at: number): string {
    if (at >= this.end) return 'the end of the document'
    const first = this.input[at]
    if (first === OPEN_BRACE) return 'an object'
    if (first === OPEN_BRACKET) return 'a list'
    if (first === QUOTE) {
      const stop = text.stringEnd(this.input, at + 1, this.end)
      return quoted(this.input, at + 1, stop < 0 ? this.end : stop)
    }
    let stop = at + 1
    while (isWordByte(first!) && stop < this.end && stop - at < 40 && isWordByte(this.input[stop]!)) stop++
    return this.input.toString('latin1', at, stop)
  }
}

/** The beginning of what is in a string, in quotes. */
export function quoted(bytes: Buffer, start: number, end: number): string {
  const shown = Math.min(end, start + 40)
  return `"${bytes.toString('utf8', start, shown)}${shown < end ? '…' : ''}"`
}

/** Of a number, `true` or the like. */
function isWordByte(byte: number): boolean {
  const lower = byte | 0x20
  return (
    (lower >= 0x61 && lower <= 0x7a) ||
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2b ||
    byte === 0x2d ||
    byte === 0x2e
  )
}
