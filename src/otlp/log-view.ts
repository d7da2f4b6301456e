import type { ByteRange, EncodedValue, Fixed64, LogCursor, ScopeCursor, ValueCursor } from './cursors.ts'
import { layout } from './layout.ts'
import { fixed64Cell, RecordView } from './record-view.ts'
import { Range } from './text.ts'
import { ValueView } from './value.ts'

const LOG_RECORD = layout('LogRecord', 'logs', [10, 18, 18])

/** A log record in place. */
export class LogView extends RecordView implements LogCursor {
  readonly #severityText = new Range()
  readonly #traceId = new Range()
  readonly #spanId = new Range()
  readonly #eventName = new Range()
  readonly #bodyRange = new Range()
  readonly #body = new ValueView()
  readonly #time = fixed64Cell()
  readonly #observedTime = fixed64Cell()

  constructor(scope: ScopeCursor, onDrop: () => void) {
    super(LOG_RECORD, scope, onDrop)
  }

  get time(): Fixed64 {
    return this.message.fixed64(1, this.#time)
  }

  get observedTime(): Fixed64 {
    return this.message.fixed64(11, this.#observedTime)
  }

  get severityNumber(): number {
    return this.message.int(2)
  }

  get severityText(): ByteRange {
    return this.message.range(3, this.#severityText)
  }

  get body(): ValueCursor {
    const { buffer, start, end } = this.message.range(5, this.#bodyRange)
    return this.#body.open(buffer, start, end)
  }

  get flags(): number {
    return this.message.fixed32(8)
  }

  get traceId(): ByteRange {
    return this.message.range(9, this.#traceId)
  }

  get spanId(): ByteRange {
    return this.message.range(10, this.#spanId)
  }

  get eventName(): ByteRange {
    return this.message.range(12, this.#eventName)
  }

  setSeverity(severityNumber: number, text: Uint8Array): void {
    this.message.setInt(2, severityNumber)
    this.message.setBytes(3, text)
  }

  setBody(value: EncodedValue): void {
    this.message.setBytes(5, value)
  }
}
