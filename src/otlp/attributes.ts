import * as attributeRows from './attribute-rows.ts'
import { canonicalMessage } from './canonical.ts'
import type { Attributes, ByteRange, EncodedValue, ValueCursor } from './cursors.ts'
import type { Key } from './key.ts'
import { type Layout, layout } from './layout.ts'
import { type Output, varintSize } from './output.ts'
import { grown } from './tables.ts'
import { Range, textOf } from './text.ts'
import { ValueView } from './value.ts'
import * as varint from './varint.ts'

// V8 folds a module's own constants into its code but loads imported ones each time (see validate.ts).
const { ROW, TAG_AT, END, KEY_START, KEY_END, VALUE_START, VALUE_END, SIGNATURE, STATE } = attributeRows
const { DELETED, NEW_VALUE, NEW_KEY, ADDED, COPIED, MORE, NO_VALUE } = attributeRows

const KEY_VALUE = layout('KeyValue', 'traces', [10, 10, 10])

/** The message that a table of attributes belongs to. */
export interface AttributeOwner {
  readonly buffer: Buffer
  /** Over the whole of `buffer`. */
  readonly view: DataView
  readonly end: number
  readonly layout: Layout
  /** Grows with every edit. */
  version: number
  /** Leaves out `buffer[start, end)`. */
  remove(start: number, end: number): void
  /** Has the table write its row `index` in place of `buffer[start, end)`. */
  replaceAttribute(start: number, end: number, index: number): void
  /** Has the table write its new attributes at `at`. */
  insertAttributes(at: number): void
}

/**
 * The attributes of a message: their places, and the edits that wait.
 *
 * Indexing the message notes only where each attribute is; keys and values are looked at when somebody first asks, which
 * for most records of most pipelines is never. Keys are compared by signature first, and never become strings.
 */
export class AttributeTable implements Attributes {
  readonly #message: AttributeOwner
  /** `ROW` numbers for each attribute, as attribute-rows.ts says. */
  rows = new Int32Array(ROW * 16)
  #count = 0
  #resolved = 0
  #added = 0
  #originals = 0
  readonly #keys: (Key | undefined)[] = []
  readonly #values: (EncodedValue | undefined)[] = []
  readonly #copies: (Buffer | undefined)[] = []
  readonly #found = new ValueView()
  readonly #currentKey = new Range()
  readonly #currentValue = new ValueView()
  #current = 0
  /** Walking stops here, so that who adds while walking does not meet what was added. */
  #walkEnd = 0

  constructor(message: AttributeOwner) {
    this.#message = message
  }

  /** The first `count` rows have been filled by indexing the message: range of the field, start of its content. */
  begin(count: number): void {
    this.#count = count
    this.#originals = count
    this.#resolved = 0
    this.#added = 0
  }

  /** Makes room for more rows and gives the table that has it. */
  grow(): Int32Array<ArrayBuffer> {
    this.rows = grown(this.rows)
    return this.rows
  }

  // --- Attributes ----------------------------------------------------------------------------------------------------

  get size(): number {
    if (this.#resolved < this.#count) this.#resolve()
    let size = 0
    for (let i = 0; i < this.#count; i++) if (!this.#is(i, DELETED)) size++
    return size
  }

  has(key: Key): boolean {
    return this.#find(key, 0) >= 0
  }

  get(key: Key): ValueCursor | undefined {
    const index = this.#find(key, 0)
    if (index < 0) return undefined
    this.#openValue(index, this.#found)
    return this.#found
  }

  set(key: Key, value: EncodedValue): void {
    const index = this.#find(key, 0)
    if (index < 0) this.#add(key, value)
    else {
      this.#replaceBoth(index, key, value)
      this.#deleteFrom(key, index + 1)
    }
  }

  insert(key: Key, value: EncodedValue): boolean {
    if (this.#find(key, 0) >= 0) return false
    this.#add(key, value)
    return true
  }

  update(key: Key, value: EncodedValue): boolean {
    const index = this.#find(key, 0)
    if (index < 0) return false
    this.#replaceBoth(index, key, value)
    this.#deleteFrom(key, index + 1)
    return true
  }

  delete(key: Key): boolean {
    return this.#deleteFrom(key, 0)
  }

  rename(from: Key, to: Key): boolean {
    const index = this.#find(from, 0)
    if (index < 0) return false
    this.#deleteFrom(from, index + 1)
    if (from === to) return true
    this.#deleteFrom(to, 0)
    this.#keys[index] = to
    this.rows[index * ROW + SIGNATURE] = to.signature
    this.#touch(index, NEW_KEY)
    return true
  }

  rewind(): void {
    if (this.#resolved < this.#count) this.#resolve()
    this.#current = -1
    this.#walkEnd = this.#count
  }

  next(): boolean {
    do this.#current++
    while (this.#current < this.#walkEnd && this.#is(this.#current, DELETED))
    if (this.#current >= this.#walkEnd) return false
    this.#openKey(this.#current, this.#currentKey)
    this.#openValue(this.#current, this.#currentValue)
    return true
  }

  get key(): ByteRange {
    return this.#currentKey
  }

  get value(): ValueCursor {
    return this.#currentValue
  }

  keyText(): string {
    return textOf(this.#currentKey)
  }

  setCurrent(value: EncodedValue): void {
    this.#replaceValue(this.#current, value)
    this.#openValue(this.#current, this.#currentValue)
  }

  deleteCurrent(): void {
    if (!this.#is(this.#current, DELETED)) this.#deleteRow(this.#current)
  }

  // --- finding -------------------------------------------------------------------------------------------------------

  #is(index: number, bit: number): boolean {
    return (this.rows[index * ROW + STATE]! & bit) !== 0
  }

  #find(key: Key, from: number): number {
    if (this.#resolved < this.#count) this.#resolve()
    const rows = this.rows
    const { signature } = key
    const end = this.#count * ROW
    for (let row = from * ROW; row < end; row += ROW) {
      if (rows[row + SIGNATURE] !== signature) continue
      const state = rows[row + STATE]!
      if ((state & DELETED) !== 0) continue
      const same =
        (state & (NEW_KEY | COPIED)) === 0
          ? key.equals(this.#message.buffer, rows[row + KEY_START]!, rows[row + KEY_END]!)
          : this.#keyIs(row / ROW, key)
      if (same) return row / ROW
    }
    return -1
  }

  #keyIs(index: number, key: Key): boolean {
    const range = this.#openKey(index, this.#scratch)
    return key.equals(range.buffer, range.start, range.end)
  }

  readonly #scratch = new Range()

  #openKey(index: number, range: Range): Range {
    const row = index * ROW
    if (this.#is(index, NEW_KEY)) {
      const key = this.#keys[index]!.bytes
      return range.set(key, 0, key.length)
    }
    return range.set(this.#source(index), this.rows[row + KEY_START]!, this.rows[row + KEY_END]!)
  }

  #openValue(index: number, value: ValueView): void {
    const row = index * ROW
    if (this.#is(index, NEW_VALUE)) {
      const bytes = this.#values[index]!
      value.open(bytes, 0, bytes.length)
    } else value.open(this.#source(index), this.rows[row + VALUE_START]!, this.rows[row + VALUE_END]!)
  }

  #source(index: number): Buffer {
    return this.#is(index, COPIED) ? this.#copies[index]! : this.#message.buffer
  }

  #resolve(): void {
    const { buffer } = this.#message
    const rows = this.rows
    for (let row = this.#resolved * ROW; row < this.#count * ROW; row += ROW) {
      const start = rows[row + KEY_START]!
      const end = rows[row + END]!
      if (!attributeRows.resolveUsual(buffer, rows, row, start, end)) {
        this.#resolveUnusual(row, start, end)
      }
    }
    this.#resolved = this.#count
  }

  /** Any order, anything beside, nothing at all; a key or a value that comes twice is read from a canonical copy. */
  #resolveUnusual(row: number, start: number, end: number): void {
    if (attributeRows.resolveAnyOrder(this.#message.buffer, this.rows, row, start, end)) return
    const copy = canonicalMessage(KEY_VALUE, this.#message.buffer.subarray(start, end))
    this.#copies[row / ROW] = copy
    attributeRows.resolveAnyOrder(copy, this.rows, row, 0, copy.length)
    this.rows[row + STATE]! |= COPIED
  }

  // --- editing -------------------------------------------------------------------------------------------------------

  #replaceValue(index: number, value: EncodedValue): void {
    this.#values[index] = value
    this.#touch(index, NEW_VALUE)
    this.rows[index * ROW + STATE]! &= ~NO_VALUE
  }

  /** The key is the one that is there: noting it lets both be written as one pair. */
  #replaceBoth(index: number, key: Key, value: EncodedValue): void {
    this.#keys[index] = key
    this.#values[index] = value
    this.#touch(index, NEW_KEY | NEW_VALUE)
    this.rows[index * ROW + STATE]! &= ~NO_VALUE
  }

  #touch(index: number, bit: number): void {
    const row = index * ROW
    const rows = this.rows
    this.#message.version++
    if ((rows[row + STATE]! & (NEW_VALUE | NEW_KEY | ADDED)) === 0) {
      this.#message.replaceAttribute(rows[row + TAG_AT]!, rows[row + END]!, index)
    }
    rows[row + STATE]! |= bit
  }

  #deleteFrom(key: Key, from: number): boolean {
    let index = this.#find(key, from)
    if (index < 0) return false
    for (; index >= 0; index = this.#find(key, index + 1)) this.#deleteRow(index)
    return true
  }

  #deleteRow(index: number): void {
    const row = index * ROW
    const rows = this.rows
    const state = rows[row + STATE]!
    rows[row + STATE] = state | DELETED
    // What is new or replaced already has its patch, and writes nothing from now on.
    if ((state & (NEW_VALUE | NEW_KEY | ADDED)) === 0) this.#message.remove(rows[row + TAG_AT]!, rows[row + END]!)
    else this.#message.version++
  }

  #add(key: Key, value: EncodedValue): void {
    const message = this.#message
    message.version++
    // New ones follow the ones that are there, where every writer would have put them.
    if (this.#added++ === 0) {
      message.insertAttributes(this.#originals > 0 ? this.rows[(this.#originals - 1) * ROW + END]! : message.end)
    }
    const index = this.#count++
    this.#resolved = this.#count
    const row = index * ROW
    if (row === this.rows.length) this.grow()
    this.rows[row + SIGNATURE] = key.signature
    this.rows[row + STATE] = ADDED | NEW_KEY | NEW_VALUE
    this.#keys[index] = key
    this.#values[index] = value
  }

  // --- writing -------------------------------------------------------------------------------------------------------

  /** Writes all that were added. */
  writeNew(out: Output): void {
    for (let index = this.#originals; index < this.#count; index++) this.writeRow(index, out)
  }

  /** Writes one attribute as it is now; nothing if it was deleted. */
  writeRow(index: number, out: Output): void {
    const row = index * ROW
    const rows = this.rows
    const state = rows[row + STATE]!
    if ((state & DELETED) !== 0) return
    const newKey = (state & NEW_KEY) !== 0 ? this.#keys[index]! : undefined
    const value = (state & NEW_VALUE) !== 0 ? this.#values[index]! : undefined
    if (newKey && value && (state & MORE) === 0) {
      const pair = newKey.pairWith(value)
      if (pair) {
        out.header(this.#message.layout.attributeTag, pair.buffer.length)
        out.copy(pair.buffer, pair.view, 0, pair.buffer.length)
        return
      }
    }
    const key = newKey?.bytes
    const keySize = key ? key.length : rows[row + KEY_END]! - rows[row + KEY_START]!
    const valueSize = value ? value.length : rows[row + VALUE_END]! - rows[row + VALUE_START]!
    const hasValue = (state & NO_VALUE) === 0
    let size = 1 + varintSize(keySize) + keySize
    if (hasValue) size += 1 + varintSize(valueSize) + valueSize
    if ((state & MORE) !== 0) size += this.#moreOf(index, undefined)
    out.header(this.#message.layout.attributeTag, size)
    out.header(10, keySize)
    if (key) out.append(key)
    else this.#copySource(index, rows[row + KEY_START]!, rows[row + KEY_END]!, out)
    if (hasValue) {
      out.header(18, valueSize)
      if (value) out.append(value)
      else this.#copySource(index, rows[row + VALUE_START]!, rows[row + VALUE_END]!, out)
    }
    if ((state & MORE) !== 0) this.#moreOf(index, out)
  }

  #copySource(index: number, start: number, end: number, out: Output): void {
    if (this.#is(index, COPIED)) out.append(this.#copies[index]!.subarray(start, end))
    else out.copy(this.#message.buffer, this.#message.view, start, end)
  }

  /** Writes the fields beside key and value, byte for byte; gives how many bytes they are. */
  #moreOf(index: number, out: Output | undefined): number {
    const source = this.#source(index)
    let size = 0
    let p = 0
    let { length: end } = source
    if (!this.#is(index, COPIED)) {
      const row = index * ROW
      end = this.rows[row + END]!
      varint.readTag(source, this.rows[row + TAG_AT]!, end)
      varint.readLength(source, varint.after, end)
      p = varint.after
    }
    while (p < end) {
      const at = p
      const tag = varint.readTag(source, p, end)
      p = varint.skipValue(source, tag, varint.after, end)
      if (tag === 10 || tag === 18) continue
      size += p - at
      out?.append(source.subarray(at, p))
    }
    return size
  }
}
