import type { Layout } from './layout.ts'
import { CHILD_ROW, Message } from './message.ts'
import type { Output } from './output.ts'
import { varintSize } from './output.ts'

/**
 * A message that holds others to walk through: a request, ResourceSpans, ScopeSpans, a Metric, its data.
 *
 * As long as nothing in it changes it costs nothing: whoever is around it copies over it. The first change *opens* it in the output: a tag,
 * room for the length, the header (the resource, the scope, the metric's texts) as it then is, and from there on
 * the ranges between the changes, as the walk goes on. *Closing* copies the rest, writes the length, and puts a header that has
 * changed since then in the old one's place. Header fields that stand elsewhere are thereby moved to the front.
 */
export abstract class Frame {
  readonly message: Message
  readonly parent: Frame | undefined
  /** Place in `parent`: its tag, where the tag stands and where the content ends. */
  #tag = 0
  #tagAt = 0
  #endInParent = 0
  /** Row of the next child. */
  #next = 0
  #removed = 0
  dropped = false
  /** Items dropped in the whole chunk before this was entered. */
  droppedBefore = 0

  /** Whether it has a place in the output. */
  isOpen = false
  /** Input up to here is in the output already. */
  #copied = 0
  #outputStart = 0
  #width = 0
  #body = 0
  #headerEnd = 0
  #headerVersion = 0
  /** Ranges of header fields, in order, which the copying leaves out. */
  readonly #gaps = new Int32Array(2 * 4)
  #gapCount = 0
  #gap = 0

  constructor(layout: Layout, parent: Frame | undefined) {
    this.message = new Message(layout)
    this.parent = parent
  }

  /** Field numbers of the header, at most three. */
  protected abstract readonly header: readonly number[]
  /** Grows with every edit of the header. */
  protected abstract headerVersion(): number
  protected abstract headerChanged(): boolean
  /** Writes the header fields as they are now. */
  protected abstract writeHeader(out: Output): void

  /** Begins with a whole request. */
  enterRequest(chunk: Buffer, view: DataView): void {
    this.message.open(chunk, view, 0, chunk.length)
    this.#reset()
  }

  /** Begins with the child that `parent` handed out last. */
  enterChild(): void {
    const parent = this.parent!
    const row = (parent.#next - 1) * CHILD_ROW
    const { buffer, view, children } = parent.message
    this.#tag = children[row]!
    this.#tagAt = children[row + 1]!
    this.#endInParent = children[row + 3]!
    this.message.open(buffer, view, children[row + 2]!, this.#endInParent)
    this.#reset()
  }

  #reset(): void {
    this.#next = 0
    this.#removed = 0
    this.dropped = false
    this.isOpen = false
    this.#copied = this.message.start
  }

  /** Steps to the next child; false after the last. */
  advance(): boolean {
    if (this.#next >= this.message.childCount) return false
    this.#next++
    return true
  }

  /** Row of the child that `advance` stepped to, in `message.children`. */
  get childRow(): number {
    return (this.#next - 1) * CHILD_ROW
  }

  /** Makes sure that this, and whatever it is in, has a place in the output. */
  open(out: Output): void {
    if (this.isOpen) return
    this.isOpen = true
    const { parent } = this
    if (parent !== undefined) {
      parent.open(out)
      parent.copyUpTo(this.#tagAt, out)
      parent.#copied = this.#endInParent
      this.#outputStart = out.length
      this.#width = varintSize(this.#endInParent - this.message.start)
      if (this.message.buffer !== parent.message.buffer) this.#width = varintSize(this.message.end)
      this.#body = out.begin(this.#tag, this.#width)
    }
    this.#findGaps()
    this.writeHeader(out)
    this.#headerEnd = out.length
    this.#headerVersion = this.headerVersion()
  }

  #findGaps(): void {
    const gaps = this.#gaps
    const { message } = this
    this.#gap = 0
    this.#gapCount = 0
    for (const field of this.header) {
      if (!message.has(field)) continue
      const start = message.places[field * 3]!
      let at = this.#gapCount++ * 2
      for (; at > 0 && gaps[at - 2]! > start; at -= 2) gaps.copyWithin(at, at - 2, at)
      gaps[at] = start
      gaps[at + 1] = message.places[field * 3 + 2]!
    }
  }

  /** Copies the input up to `position`, without the header. Only while open. */
  copyUpTo(position: number, out: Output): void {
    const { buffer, view } = this.message
    const gaps = this.#gaps
    while (this.#gap < this.#gapCount && gaps[this.#gap * 2]! < position) {
      out.copy(buffer, view, this.#copied, gaps[this.#gap * 2]!)
      this.#copied = Math.max(this.#copied, gaps[this.#gap * 2 + 1]!)
      this.#gap++
    }
    out.copy(buffer, view, this.#copied, position)
    this.#copied = Math.max(this.#copied, position)
  }

  /** Leaves the current child out. */
  removeChild(out: Output): void {
    const row = this.childRow
    this.open(out)
    this.copyUpTo(this.message.children[row + 1]!, out)
    this.#copied = this.message.children[row + 3]!
    this.#removed++
  }

  /** Writes the current child as `child` has it. */
  replaceChild(child: Message, out: Output): void {
    const row = this.childRow
    const { children } = this.message
    this.open(out)
    this.copyUpTo(children[row + 1]!, out)
    this.#copied = children[row + 3]!
    const width = varintSize(child.end - child.start)
    const body = out.begin(children[row]!, width)
    child.write(out)
    out.end(body, width)
  }

  /** Whether it had children and a drop took the last of them. */
  get emptied(): boolean {
    return this.#removed > 0 && this.#removed === this.message.childCount
  }

  /** Ends with it: written where it changed, left out where it was dropped or emptied. */
  close(out: Output): void {
    const { parent } = this
    if (parent !== undefined && (this.dropped || this.emptied)) {
      if (this.isOpen) {
        out.length = this.#outputStart
        parent.#removed++
      } else parent.removeChild(out)
      return
    }
    if (!this.isOpen && this.headerChanged()) this.open(out)
    if (!this.isOpen) return
    this.copyUpTo(this.message.end, out)
    if (this.#headerVersion !== this.headerVersion()) this.#rewriteHeader(out)
    if (parent !== undefined) out.end(this.#body, this.#width)
  }

  /** A header that changed after it was written: a record's hook edits what it lies in. */
  #rewriteHeader(out: Output): void {
    const start = this.#body
    const rest = out.length
    this.writeHeader(out)
    const header = Uint8Array.from(out.buffer.subarray(rest, out.length))
    out.length = rest
    out.shift(this.#headerEnd, start + header.length - this.#headerEnd)
    out.buffer.set(header, start)
  }
}

/** The request, and the data of a metric: nothing to edit but the children. */
export class PlainFrame extends Frame {
  protected readonly header: readonly number[] = []

  protected headerVersion(): number {
    return 0
  }

  protected headerChanged(): boolean {
    return false
  }

  protected writeHeader(): void {}
}

/** ResourceSpans and its like, ScopeSpans and its like: field 1 is the message that all below belongs to. */
export class OwnerFrame extends Frame {
  /** The resource or the scope. */
  readonly owner: Message
  protected readonly header: readonly number[] = [1]

  constructor(layout: Layout, ownerLayout: Layout, parent: Frame) {
    super(layout, parent)
    this.owner = new Message(ownerLayout)
  }

  override enterChild(): void {
    super.enterChild()
    const { message, owner } = this
    if (message.has(1)) owner.open(message.buffer, message.view, message.places[4]!, message.places[5]!)
    else owner.openAbsent()
  }

  protected headerVersion(): number {
    return this.owner.version
  }

  protected headerChanged(): boolean {
    return this.owner.changed
  }

  protected writeHeader(out: Output): void {
    const { message, owner } = this
    if (!message.has(1) && !owner.changed) return
    const width = varintSize(owner.end - owner.start)
    const body = out.begin(10, width)
    owner.write(out)
    out.end(body, width)
  }
}

/** A Metric: name, description and unit. */
export class MetricFrame extends Frame {
  protected readonly header: readonly number[] = [1, 2, 3]

  protected headerVersion(): number {
    return this.message.version
  }

  protected headerChanged(): boolean {
    return this.message.changed
  }

  protected writeHeader(out: Output): void {
    const { message } = this
    for (const field of this.header) {
      if (message.isOverridden(field)) message.writeOverride(field, out)
      else if (message.has(field)) {
        out.copy(message.buffer, message.view, message.places[field * 3]!, message.places[field * 3 + 2]!)
      }
    }
  }
}
