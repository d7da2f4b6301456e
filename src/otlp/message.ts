import * as attributeRows from './attribute-rows.ts'
import { type AttributeOwner, AttributeTable } from './attributes.ts'
import { canonicalMessage } from './canonical.ts'
import type { Fixed64 } from './cursors.ts'
import * as layouts from './layout.ts'
import { Output } from './output.ts'
import { grown } from './tables.ts'
import { doubleAt, int32At, int64At, NOTHING, NOTHING_VIEW, type Range } from './text.ts'
import * as varint from './varint.ts'
import { WireError } from './wire-error.ts'

// V8 folds a module's own constants into its code but loads imported ones each time (see validate.ts).
const { UNKNOWN, VARINT, FIXED64, FIXED32, BYTES, ATTRIBUTE, CHILD, REPEATED, TAGS } = layouts
const { ROW: ATTRIBUTE_ROW, TAG_AT, END, KEY_START } = attributeRows
const { readTag, readVarint, readLength, skipValue } = varint

/**
 * A row of `children`: tag, where the tag stands, where the content begins and ends; then, once edited, where the new
 * content begins and ends in `side`, or GONE.
 */
export const CHILD_ROW = 6
const AS_IT_IS = -1
const GONE = -2

/* Kinds of patches: what stands in for a range of the message when it is written. */
const NOTHING_INSTEAD = 0
const FIELD = 1
const ATTRIBUTE_INSTEAD = 2
const NEW_ATTRIBUTES = 3
const CHILD_INSTEAD = 4
/** A row of patches: the range, the kind, and which field or which row of attributes or children. */
const PATCH_ROW = 4

/**
 * One message where it stands: its fields' places in small tables, and the edits that wait for it to be written.
 *
 * Opened again and again on one record after the other; nothing is allocated but when a table has to grow. The bytes are
 * those of `buffer` unless the message was unusual (a singular field twice): then it is read from a canonical copy.
 */
export class Message implements AttributeOwner {
  /** Set before `open` where one cursor serves several kinds of message. */
  layout: layouts.Layout
  buffer: Buffer = NOTHING
  view: DataView = NOTHING_VIEW
  start = 0
  end = 0
  /** Bit n: field n is there. */
  present = 0
  /** By field number: where its tag stands, where its value begins and ends; of use only where `present` says so. */
  readonly places = new Int32Array(3 * 32)
  readonly attributes: AttributeTable
  children = new Int32Array(CHILD_ROW * 8)
  childCount = 0
  /** Grows with every edit. */
  version = 0

  readonly #texts: (Uint8Array | undefined)[] = Array<Uint8Array | undefined>(32).fill(undefined)
  readonly #numbers = new Int32Array(32)
  /** Bit n: field n has another value than in the bytes. */
  #overridden = 0
  #patches = new Int32Array(PATCH_ROW * 8)
  #patchCount = 0
  #unusual = false
  /** New contents of children that were edited; a child that is edited again is read from here and written here. */
  readonly #side = new Output({ pooled: false })

  constructor(layout: layouts.Layout) {
    this.layout = layout
    this.attributes = new AttributeTable(this)
  }

  get changed(): boolean {
    return this.#patchCount > 0
  }

  /** Points this at `buffer[start, end)`. Throws WireError where that is not a sequence of fields. */
  open(buffer: Buffer, view: DataView, start: number, end: number): void {
    this.#reset(buffer, view, start, end)
    this.#index()
    if (!this.#unusual) return
    const copy = canonicalMessage(this.layout, buffer.subarray(start, end))
    this.#reset(copy, new DataView(copy.buffer, copy.byteOffset, copy.byteLength), 0, copy.length)
    this.#index()
  }

  /** A message that is not there, before it gets its first field. */
  openAbsent(): void {
    this.#reset(NOTHING, NOTHING_VIEW, 0, 0)
  }

  #reset(buffer: Buffer, view: DataView, start: number, end: number): void {
    this.buffer = buffer
    this.view = view
    this.start = start
    this.end = end
    this.present = 0
    this.childCount = 0
    this.#patchCount = 0
    this.#overridden = 0
    this.#unusual = false
    this.#side.length = 0
    this.attributes.begin(0)
  }

  #index(): void {
    const { buffer, end, places, attributes } = this
    const { codes } = this.layout
    let present = 0
    /** Bit n: field n came twice. */
    let twice = 0
    let attributeCount = 0
    let { rows } = attributes
    let p = this.start
    while (p < end) {
      const at = p
      let tag = buffer[p++]!
      if (tag > 127) {
        tag = readTag(buffer, at, end)
        p = varint.after
      }
      const code = tag < TAGS ? codes[tag]! : UNKNOWN
      let valueAt = p
      if (code === ATTRIBUTE || code === BYTES || code === CHILD) {
        let length = p < end ? buffer[p++]! : 128
        if (length > 127) {
          length = readLength(buffer, valueAt, end)
          p = varint.after
        }
        valueAt = p
        p += length
        if (p > end) throw new WireError(at, `a length of ${length} goes past the end of what holds it`)
        if (code === ATTRIBUTE) {
          const row = attributeCount++ * ATTRIBUTE_ROW
          if (row === rows.length) rows = attributes.grow()
          rows[row + TAG_AT] = at
          rows[row + END] = p
          // Until somebody asks for attributes: where the content begins.
          rows[row + KEY_START] = valueAt
          continue
        }
        if (code === CHILD) {
          this.#foundChild(tag, at, valueAt, p)
          continue
        }
      } else if (code === FIXED64) p += 8
      else if (code === VARINT) {
        if (p < end && buffer[p]! < 128) p++
        else {
          readVarint(buffer, p, end)
          p = varint.after
        }
      } else if (code === FIXED32) p += 4
      else if (code === UNKNOWN || code === REPEATED) {
        p = skipValue(buffer, tag, p, end)
        continue
      } else throw new WireError(at, `field ${tag >> 3} does not have wire type ${tag & 7}`)
      const field = tag >> 3
      const bit = 1 << field
      twice |= present & bit
      present |= bit
      const place = field * 3
      places[place] = at
      places[place + 1] = valueAt
      places[place + 2] = p
    }
    if (p !== end) throw new WireError(p, 'the bytes end inside a value')
    this.present = present
    attributes.begin(attributeCount)
    this.#unusual = twice !== 0 || (this.layout.oneChild && this.childCount > 1)
  }

  #foundChild(tag: number, at: number, start: number, end: number): void {
    const row = this.childCount++ * CHILD_ROW
    if (row === this.children.length) this.children = grown(this.children)
    const { children } = this
    children[row] = tag
    children[row + 1] = at
    children[row + 2] = start
    children[row + 3] = end
    children[row + 4] = AS_IT_IS
  }

  // --- reading -------------------------------------------------------------------------------------------------------

  has(field: number): boolean {
    return (this.present & (1 << field)) !== 0
  }

  /** Points `range` at the content of a string, bytes or message field; at nothing where it is absent. */
  range(field: number, range: Range): Range {
    if ((this.#overridden & (1 << field)) !== 0) {
      const text = this.#texts[field]!
      return range.set(text, 0, text.length)
    }
    if (!this.has(field)) return range.set(NOTHING, 0, 0)
    return range.set(this.buffer, this.places[field * 3 + 1]!, this.places[field * 3 + 2]!)
  }

  /** A varint field that fits 32 signed bits: enums, flags, counts. 0 where it is absent. */
  int(field: number): number {
    if ((this.#overridden & (1 << field)) !== 0) return this.#numbers[field]!
    if (!this.has(field)) return 0
    varint.readVarint64(this.buffer, this.places[field * 3 + 1]!, this.end)
    return varint.low
  }

  bool(field: number): boolean {
    if (!this.has(field)) return false
    varint.readVarint64(this.buffer, this.places[field * 3 + 1]!, this.end)
    return (varint.low | varint.high) !== 0
  }

  fixed32(field: number): number {
    return this.has(field) ? int32At(this.buffer, this.places[field * 3 + 1]!) >>> 0 : 0
  }

  fixed64(field: number, into: { -readonly [half in keyof Fixed64]: number }): Fixed64 {
    const at = this.has(field) ? this.places[field * 3 + 1]! : -1
    into.low = at < 0 ? 0 : int32At(this.buffer, at) >>> 0
    into.high = at < 0 ? 0 : int32At(this.buffer, at + 4) >>> 0
    return into
  }

  double(field: number): number | undefined {
    return this.has(field) ? doubleAt(this.buffer, this.places[field * 3 + 1]!) : undefined
  }

  sfixed64(field: number): bigint {
    return this.has(field) ? int64At(this.buffer, this.places[field * 3 + 1]!) : 0n
  }

  // --- editing -------------------------------------------------------------------------------------------------------

  /** Gives a string, bytes or message field another content; `bytes` is kept until the message is written. */
  setBytes(field: number, bytes: Uint8Array): void {
    this.#texts[field] = bytes
    this.#override(field)
  }

  /** Gives a varint field another value, from 0 to 2^31 - 1. */
  setInt(field: number, value: number): void {
    this.#numbers[field] = value
    this.#override(field)
  }

  isOverridden(field: number): boolean {
    return (this.#overridden & (1 << field)) !== 0
  }

  #override(field: number): void {
    this.version++
    if (this.isOverridden(field)) return
    this.#overridden |= 1 << field
    if (this.has(field)) this.#patch(this.places[field * 3]!, this.places[field * 3 + 2]!, FIELD, field)
    else this.#patch(this.end, this.end, FIELD, field)
  }

  /** Leaves out `buffer[start, end)`. */
  remove(start: number, end: number): void {
    this.version++
    this.#patch(start, end, NOTHING_INSTEAD, 0)
  }

  /** Has the attribute table write its row `index` in place of `buffer[start, end)`. */
  replaceAttribute(start: number, end: number, index: number): void {
    this.#patch(start, end, ATTRIBUTE_INSTEAD, index)
  }

  /** Has the attribute table write its new attributes at `at`. */
  insertAttributes(at: number): void {
    this.#patch(at, at, NEW_ATTRIBUTES, 0)
  }

  childIsGone(index: number): boolean {
    return this.children[index * CHILD_ROW + 4] === GONE
  }

  removeChild(index: number): void {
    this.#replaceChild(index, GONE, 0)
  }

  /** Opens `child` on row `index`, with what an earlier edit made of it. */
  openChild(index: number, child: Message): void {
    const row = index * CHILD_ROW
    const { children } = this
    if (children[row + 4]! < 0) child.open(this.buffer, this.view, children[row + 2]!, children[row + 3]!)
    else child.open(this.#side.buffer, this.#side.view, children[row + 4]!, children[row + 5]!)
  }

  /** Takes over the edits of `child`, which is open on row `index`. */
  keepChild(index: number, child: Message): void {
    const start = this.#side.length
    child.write(this.#side)
    this.#replaceChild(index, start, this.#side.length)
  }

  #replaceChild(index: number, sideStart: number, sideEnd: number): void {
    const row = index * CHILD_ROW
    const { children } = this
    if (children[row + 4] === AS_IT_IS) this.#patch(children[row + 1]!, children[row + 3]!, CHILD_INSTEAD, index)
    children[row + 4] = sideStart
    children[row + 5] = sideEnd
    this.version++
  }

  /** Patches are few and mostly come in order, so they are kept sorted by moving later ones up. */
  #patch(start: number, end: number, kind: number, index: number): void {
    let row = this.#patchCount++ * PATCH_ROW
    if (row === this.#patches.length) this.#patches = grown(this.#patches)
    const patches = this.#patches
    for (; row > 0 && patches[row - PATCH_ROW]! > start; row -= PATCH_ROW) {
      patches[row] = patches[row - PATCH_ROW]!
      patches[row + 1] = patches[row - PATCH_ROW + 1]!
      patches[row + 2] = patches[row - PATCH_ROW + 2]!
      patches[row + 3] = patches[row - PATCH_ROW + 3]!
    }
    patches[row] = start
    patches[row + 1] = end
    patches[row + 2] = kind
    patches[row + 3] = index
  }

  // --- writing -------------------------------------------------------------------------------------------------------

  /** Appends the content with all edits: what lies between two edits in one piece. */
  write(out: Output): void {
    const { buffer, view, end } = this
    const patches = this.#patches
    const last = this.#patchCount * PATCH_ROW
    let copied = this.start
    for (let row = 0; row < last; row += PATCH_ROW) {
      const start = patches[row]!
      if (start > copied) out.copy(buffer, view, copied, start)
      const index = patches[row + 3]!
      switch (patches[row + 2]) {
        case FIELD:
          this.writeOverride(index, out)
          break
        case ATTRIBUTE_INSTEAD:
          this.attributes.writeRow(index, out)
          break
        case NEW_ATTRIBUTES:
          this.attributes.writeNew(out)
          break
        case CHILD_INSTEAD:
          this.#writeChild(index, out)
          break
      }
      // A zero-length patch may stand at the start of a longer one, in either order.
      if (patches[row + 1]! > copied) copied = patches[row + 1]!
    }
    out.copy(buffer, view, copied, end)
  }

  /** Writes a field that `isOverridden`; an empty text like every proto3 writer: not at all. */
  writeOverride(field: number, out: Output): void {
    const { codes, messages } = this.layout
    if (codes[(field << 3) | 2] !== BYTES) {
      out.varint(field << 3)
      out.varint(this.#numbers[field]!)
      return
    }
    const content = this.#texts[field]!
    if (content.length > 0 || (messages & (1 << field)) !== 0) out.field((field << 3) | 2, content)
  }

  #writeChild(index: number, out: Output): void {
    const row = index * CHILD_ROW
    const start = this.children[row + 4]!
    if (start === GONE) return
    const end = this.children[row + 5]!
    out.varint(this.children[row]!)
    out.varint(end - start)
    out.copy(this.#side.buffer, this.#side.view, start, end)
  }
}
