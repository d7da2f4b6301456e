import { ChildRows } from './child-rows.ts'
import type { Attributes, ByteRange, EventCursor, Fixed64, LinkCursor, ScopeCursor, SpanCursor } from './cursors.ts'
import { layout } from './layout.ts'
import type { Message } from './message.ts'
import { Output } from './output.ts'
import { fixed64Cell, RecordView } from './record-view.ts'
import { Range, textOf } from './text.ts'
import * as varint from './varint.ts'

const SPAN = layout('Span', 'traces', [10, 18, 18], ['events', 'links'])
const EVENT = layout('SpanEvent', 'traces', [10, 18, 18, 90])
const LINK = layout('SpanLink', 'traces', [10, 18, 18, 106])

/* Field numbers of a Span and of a Status. */
const STATUS = 15
const STATUS_MESSAGE = 18
const STATUS_CODE = 24

/** A span in place. */
export class SpanView extends RecordView implements SpanCursor {
  readonly #traceId = new Range()
  readonly #spanId = new Range()
  readonly #parentSpanId = new Range()
  readonly #traceState = new Range()
  readonly #name = new Range()
  readonly #statusMessage = new Range()
  readonly #status = new Range()
  readonly #startTime = fixed64Cell()
  readonly #endTime = fixed64Cell()
  /** A second `setStatus` reads the first from here. */
  readonly #newStatus = new Output({ pooled: false })
  readonly events: ChildRows<EventCursor>
  readonly links: ChildRows<LinkCursor>

  constructor(scope: ScopeCursor, onDrop: () => void) {
    super(SPAN, scope, onDrop)
    this.events = new ChildRows<EventCursor>(this.message, EVENT, 90, (message) => new EventView(message))
    this.links = new ChildRows<LinkCursor>(this.message, LINK, 106, (message) => new LinkView(message))
  }

  get traceId(): ByteRange {
    return this.message.range(1, this.#traceId)
  }

  get spanId(): ByteRange {
    return this.message.range(2, this.#spanId)
  }

  get traceState(): ByteRange {
    return this.message.range(3, this.#traceState)
  }

  get parentSpanId(): ByteRange {
    return this.message.range(4, this.#parentSpanId)
  }

  get name(): ByteRange {
    return this.message.range(5, this.#name)
  }

  nameText(): string {
    return textOf(this.name)
  }

  get kind(): number {
    return this.message.int(6)
  }

  get startTime(): Fixed64 {
    return this.message.fixed64(7, this.#startTime)
  }

  get endTime(): Fixed64 {
    return this.message.fixed64(8, this.#endTime)
  }

  get flags(): number {
    return this.message.fixed32(16)
  }

  get statusCode(): number {
    const { buffer, start, end } = this.message.range(STATUS, this.#status)
    let code = 0
    for (let p = start; p < end; ) {
      const tag = varint.readTag(buffer, p, end)
      const at = varint.after
      p = varint.skipValue(buffer, tag, at, end)
      if (tag !== STATUS_CODE) continue
      varint.readVarint64(buffer, at, end)
      code = varint.low
    }
    return code
  }

  get statusMessage(): ByteRange {
    const { buffer, start, end } = this.message.range(STATUS, this.#status)
    const found = this.#statusMessage.set(buffer, start, start)
    for (let p = start; p < end; ) {
      const tag = varint.readTag(buffer, p, end)
      const at = varint.after
      p = varint.skipValue(buffer, tag, at, end)
      if (tag !== STATUS_MESSAGE) continue
      varint.readLength(buffer, at, end)
      found.set(buffer, varint.after, p)
    }
    return found
  }

  setName(name: Uint8Array): void {
    this.message.setBytes(5, name)
  }

  setTraceState(value: Uint8Array): void {
    this.message.setBytes(3, value)
  }

  setStatus(code: number, message: Uint8Array): void {
    const out = this.#newStatus
    const { buffer, start, end } = this.message.range(STATUS, this.#status)
    // The last status may be what `buffer` is: the new one goes behind it.
    const from = buffer.buffer === out.buffer.buffer ? out.length : 0
    out.length = from
    if (message.length > 0) out.field(STATUS_MESSAGE, message)
    if (code !== 0) {
      out.varint(STATUS_CODE)
      out.varint(code)
    }
    for (let p = start; p < end; ) {
      const at = p
      const tag = varint.readTag(buffer, p, end)
      p = varint.skipValue(buffer, tag, varint.after, end)
      if (tag !== STATUS_MESSAGE && tag !== STATUS_CODE) out.append(buffer.subarray(at, p))
    }
    this.message.setBytes(STATUS, out.buffer.subarray(from, out.length))
  }

  override settle(): void {
    this.events.settle()
    this.links.settle()
  }

  override forget(): void {
    this.events.forget()
    this.links.forget()
  }
}

class EventView implements EventCursor {
  readonly attributes: Attributes
  readonly #message: Message
  readonly #name = new Range()
  readonly #time = fixed64Cell()

  constructor(message: Message) {
    this.#message = message
    this.attributes = message.attributes
  }

  get name(): ByteRange {
    return this.#message.range(2, this.#name)
  }

  nameText(): string {
    return textOf(this.name)
  }

  get time(): Fixed64 {
    return this.#message.fixed64(1, this.#time)
  }
}

class LinkView implements LinkCursor {
  readonly attributes: Attributes
  readonly #message: Message
  readonly #traceId = new Range()
  readonly #spanId = new Range()
  readonly #traceState = new Range()

  constructor(message: Message) {
    this.#message = message
    this.attributes = message.attributes
  }

  get traceId(): ByteRange {
    return this.#message.range(1, this.#traceId)
  }

  get spanId(): ByteRange {
    return this.#message.range(2, this.#spanId)
  }

  get traceState(): ByteRange {
    return this.#message.range(3, this.#traceState)
  }

  get flags(): number {
    return this.#message.fixed32(6)
  }
}
