import type { Signal } from './batch.ts'
import { countBelow } from './count.ts'
import type { ResourceCursor, ScopeCursor } from './cursors.ts'
import { type Frame, OwnerFrame, PlainFrame } from './frame.ts'
import { type Layout, layout } from './layout.ts'
import { Output } from './output.ts'
import { ResourceView, ScopeView } from './owner-views.ts'
import type { RecordView } from './record-view.ts'

/** What a pass made of one chunk. */
export interface EditResult {
  /** The request as it is now; undefined where nothing is left of it. */
  readonly chunk: Uint8Array | undefined
  /** Whether nothing was edited or dropped: `chunk` is then the very object that was opened. */
  readonly unchanged: boolean
  /** Items that drops took, be it one by one or with what they lay in. */
  readonly dropped: number
}

/**
 * Walks over one request after the other, lets hooks read and edit what the cursors stand on, and writes what changed:
 *
 *     editor.open(chunk)
 *     while (editor.nextResource()) {
 *       // editor.resource: read, edit, drop
 *       while (editor.nextScope()) {
 *         // editor.scope
 *         while (editor.nextRecord()) {
 *           // editor.span
 *         }
 *       }
 *     }
 *     const { chunk, unchanged, dropped } = editor.finish()
 *
 * Each loop may be left out or left early; what was not visited stays as it is and costs nothing. Whatever is dropped has no more
 * children to step to. The output is written as the walk goes on, so each `next…` ends the edits of what it leaves,
 * except that the resource, the scope and the metric around a record can be edited as long as the walk is inside them.
 *
 * One editor serves many requests, one at a time. Throws WireError where the bytes are malformed; the caller then calls
 * `abort`, as after an error of its own.
 */
export abstract class Editor {
  readonly resource: ResourceCursor
  readonly scope: ScopeCursor
  /** Items dropped since `open`. Exact after every drop, so that the difference is what one hook took. */
  dropped = 0
  /** From the request to what holds the records. */
  protected readonly frames: Frame[]
  /** Index in `frames` of the innermost one that the walk is in. */
  protected depth = -1
  readonly #signal: Signal
  readonly #out = new Output()
  #chunk: Uint8Array | undefined
  #inRecord = false
  /** Bytes out per byte in, of late: how much to allocate. */
  #growth = 1

  constructor(signal: Exclude<Signal, 'profiles'>, names: { resource: Layout; scope: Layout; request: Layout }) {
    this.#signal = signal
    const request = new PlainFrame(names.request, undefined)
    const resource = new OwnerFrame(names.resource, layout('Resource', signal, [10, 10]), request)
    const scope = new OwnerFrame(names.scope, layout('InstrumentationScope', signal, [10, 18, 10]), resource)
    this.frames = [request, resource, scope]
    this.resource = new ResourceView(resource, () => this.dropFrame(1))
    this.scope = new ScopeView(scope, this.resource, () => this.dropFrame(2))
  }

  protected abstract readonly record: RecordView

  /** Begins with a request. */
  open(chunk: Uint8Array): void {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    this.#chunk = chunk
    this.#inRecord = false
    this.dropped = 0
    this.#out.expected = Math.ceil(chunk.byteLength * this.#growth) + 1024
    this.depth = 0
    this.frames[0]!.enterRequest(buffer, new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength))
  }

  /** Steps to the next resource; false after the last. */
  nextResource(): boolean {
    return this.step(1)
  }

  /** Steps to the next scope of the resource; false after the last, and where the resource was dropped. */
  nextScope(): boolean {
    return this.step(2)
  }

  /** Steps to the next record of the scope (or of the metric); false after the last, and where any of these was dropped. */
  nextRecord(): boolean {
    this.#leaveRecord()
    const innermost = this.frames.length - 1
    if (this.depth !== innermost || this.isDropped(innermost)) return false
    const frame = this.frames[innermost]!
    if (!frame.advance()) return false
    const { message, childRow } = frame
    const { children } = message
    this.#inRecord = true
    this.record.isDropped = false
    this.record.forget()
    this.openRecord(message.buffer, message.view, children[childRow + 2]!, children[childRow + 3]!)
    return true
  }

  protected openRecord(buffer: Buffer, view: DataView, start: number, end: number): void {
    this.record.message.open(buffer, view, start, end)
  }

  get resourceDropped(): boolean {
    return this.isDropped(1)
  }

  get scopeDropped(): boolean {
    return this.isDropped(2)
  }

  /** Whether the current record is dropped, by itself or with what it lies in. */
  get recordDropped(): boolean {
    return this.record.isDropped || this.isDropped(this.frames.length - 1)
  }

  /** Ends the walk, wherever it is, and gives what became of the request. */
  finish(): EditResult {
    this.#leaveTo(1)
    const request = this.frames[0]!
    const out = this.#out
    const chunk = this.#chunk!
    request.close(out)
    const { dropped } = this
    if (!request.isOpen) {
      this.#release()
      return { chunk, unchanged: true, dropped }
    }
    this.#growth = Math.min(4, Math.max(0.1, (out.length / chunk.byteLength) * 1.02))
    const edited = out.take()
    this.#release()
    return { chunk: edited.length > 0 ? edited : undefined, unchanged: false, dropped }
  }

  /** Gives up the pass over this request. */
  abort(): void {
    this.#release()
  }

  #release(): void {
    this.#out.forget()
    this.#chunk = undefined
    this.#inRecord = false
    this.depth = -1
  }

  /** Leaves what the walk is in at `level` or below, and enters the next frame there. */
  protected step(level: number): boolean {
    this.#leaveTo(level)
    if (this.depth !== level - 1 || this.isDropped(level - 1) || !this.frames[level - 1]!.advance()) return false
    const frame = this.frames[level]!
    frame.droppedBefore = this.dropped
    frame.enterChild()
    this.depth = level
    return true
  }

  /** Closes frames from the innermost one out, `level` last. */
  #leaveTo(level: number): void {
    this.#leaveRecord()
    for (; this.depth >= level; this.depth--) this.frames[this.depth]!.close(this.#out)
  }

  #leaveRecord(): void {
    if (!this.#inRecord) return
    this.#inRecord = false
    const { record } = this
    const frame = this.frames[this.depth]!
    if (this.isDropped(this.depth)) return
    if (record.isDropped) frame.removeChild(this.#out)
    else {
      record.settle()
      if (record.message.changed) frame.replaceChild(record.message, this.#out)
    }
  }

  /** Whether the frame at `level` or one around it is dropped. */
  protected isDropped(level: number): boolean {
    for (let i = level; i > 0; i--) if (this.frames[i]!.dropped) return true
    return false
  }

  /** Books a drop of the current record; of one that is gone already, nothing. */
  protected dropRecord(): void {
    if (this.#inRecord && !this.recordDropped) this.dropped++
  }

  protected dropFrame(level: number): void {
    const frame = this.frames[level]!
    if (level > this.depth || frame.dropped) return
    if (!this.isDropped(level)) {
      const { buffer, start, end } = frame.message
      this.dropped = frame.droppedBefore + countBelow(this.#signal, level, buffer, start, end)
    }
    frame.dropped = true
  }
}
