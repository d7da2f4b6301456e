import { ChildRows } from './child-rows.ts'
import type {
  Attributes,
  ByteRange,
  DataPointCursor,
  ExemplarCursor,
  Fixed64,
  MetricCursor,
  MetricKind,
  ScopeCursor,
} from './cursors.ts'
import { type Layout, layout } from './layout.ts'
import type { Message } from './message.ts'
import { buckets, doubleList, fixed64List, quantileList, zigzag } from './packed.ts'
import { fixed64Cell, RecordView } from './record-view.ts'
import { Range } from './text.ts'

/** Where the five kinds of data points keep what they have; 0 where a kind lacks it. */
interface PointShape {
  readonly point: Layout
  readonly exemplar: Layout
  /** Tag of the exemplars; -1 where there are none. */
  readonly exemplars: number
  readonly flags: number
  readonly sum: number
  readonly min: number
  readonly max: number
}

function shape(
  kindTag: number,
  name: string,
  fields: { flags: number; exemplars?: number; sum?: number; min?: number; max?: number },
): PointShape {
  const path = [10, 18, 18, kindTag, 10]
  const exemplars = fields.exemplars === undefined ? -1 : (fields.exemplars << 3) | 2
  return {
    point: layout(name, 'metrics', path, exemplars < 0 ? [] : ['exemplars']),
    // Summaries have none; a layout has to be there all the same.
    exemplar: layout('Exemplar', 'metrics', exemplars < 0 ? [10, 18, 18, 42, 10, 42] : [...path, exemplars]),
    exemplars,
    flags: fields.flags,
    sum: fields.sum ?? 0,
    min: fields.min ?? 0,
    max: fields.max ?? 0,
  }
}

const SHAPES: Readonly<Record<Exclude<MetricKind, 'none'>, PointShape>> = {
  gauge: shape(42, 'NumberDataPoint', { flags: 8, exemplars: 5 }),
  sum: shape(58, 'NumberDataPoint', { flags: 8, exemplars: 5 }),
  histogram: shape(74, 'HistogramDataPoint', { flags: 10, exemplars: 8, sum: 5, min: 11, max: 12 }),
  exponentialHistogram: shape(82, 'ExponentialHistogramDataPoint', {
    flags: 10,
    exemplars: 11,
    sum: 5,
    min: 12,
    max: 13,
  }),
  summary: shape(90, 'SummaryDataPoint', { flags: 8, sum: 5 }),
}

/** Field number 0 is in no message, so what a kind lacks reads as absent. */
const ABSENT = 0

/** A data point of any kind in place. */
export class PointView extends RecordView implements DataPointCursor {
  readonly metric: MetricCursor
  readonly exemplars: ChildRows<ExemplarCursor>
  #kind: MetricKind = 'gauge'
  #shape = SHAPES.gauge
  readonly #startTime = fixed64Cell()
  readonly #time = fixed64Cell()
  readonly #count = fixed64Cell()
  readonly #zeroCount = fixed64Cell()
  readonly #scratch = new Range()

  constructor(metric: MetricCursor, scope: ScopeCursor, onDrop: () => void) {
    super(SHAPES.gauge.point, scope, onDrop)
    this.metric = metric
    this.exemplars = new ChildRows<ExemplarCursor>(
      this.message,
      SHAPES.gauge.exemplar,
      SHAPES.gauge.exemplars,
      (message) => new ExemplarView(message),
    )
  }

  /** Says what kind the points are that come next. */
  become(kind: Exclude<MetricKind, 'none'>): void {
    const next = SHAPES[kind]
    this.#kind = kind
    this.#shape = next
    this.message.layout = next.point
    this.exemplars.tag = next.exemplars
    this.exemplars.message.layout = next.exemplar
  }

  get startTime(): Fixed64 {
    return this.message.fixed64(2, this.#startTime)
  }

  get time(): Fixed64 {
    return this.message.fixed64(3, this.#time)
  }

  get flags(): number {
    return this.message.int(this.#shape.flags) >>> 0
  }

  get #isNumber(): boolean {
    return this.#kind === 'gauge' || this.#kind === 'sum'
  }

  get numberKind(): 'none' | 'int' | 'double' {
    return this.#isNumber ? numberKind(this.message, 4) : 'none'
  }

  value(): number {
    return this.#isNumber ? numberValue(this.message, 4) : 0
  }

  valueBigint(): bigint {
    return this.numberKind === 'int' ? this.message.sfixed64(6) : integerOf(this.value())
  }

  get count(): Fixed64 {
    return this.message.fixed64(this.#isNumber ? ABSENT : 4, this.#count)
  }

  sum(): number | undefined {
    return this.message.double(this.#shape.sum)
  }

  min(): number | undefined {
    return this.message.double(this.#shape.min)
  }

  max(): number | undefined {
    return this.message.double(this.#shape.max)
  }

  bucketCounts(): number[] {
    return this.#kind === 'histogram' ? fixed64List(this.message, 6) : []
  }

  explicitBounds(): number[] {
    return this.#kind === 'histogram' ? doubleList(this.message, 7) : []
  }

  get #isExponential(): boolean {
    return this.#kind === 'exponentialHistogram'
  }

  get scale(): number {
    return this.#isExponential ? zigzag(this.message.int(6)) : 0
  }

  get zeroCount(): Fixed64 {
    return this.message.fixed64(this.#isExponential ? 7 : ABSENT, this.#zeroCount)
  }

  get zeroThreshold(): number {
    return (this.#isExponential ? this.message.double(14) : undefined) ?? 0
  }

  positive(): { readonly offset: number; readonly counts: number[] } {
    return this.#buckets(8)
  }

  negative(): { readonly offset: number; readonly counts: number[] } {
    return this.#buckets(9)
  }

  #buckets(field: number): { readonly offset: number; readonly counts: number[] } {
    const { buffer, start, end } = this.message.range(this.#isExponential ? field : ABSENT, this.#scratch)
    return buckets(buffer, start, end)
  }

  quantiles(): { readonly quantile: number; readonly value: number }[] {
    return this.#kind === 'summary' ? quantileList(this.message, 6) : []
  }

  override settle(): void {
    this.exemplars.settle()
  }

  override forget(): void {
    this.exemplars.forget()
  }
}

class ExemplarView implements ExemplarCursor {
  readonly attributes: Attributes
  readonly #message: Message
  readonly #time = fixed64Cell()
  readonly #traceId = new Range()
  readonly #spanId = new Range()

  constructor(message: Message) {
    this.#message = message
    this.attributes = message.attributes
  }

  get time(): Fixed64 {
    return this.#message.fixed64(2, this.#time)
  }

  value(): number {
    return numberValue(this.#message, 3)
  }

  get spanId(): ByteRange {
    return this.#message.range(4, this.#spanId)
  }

  get traceId(): ByteRange {
    return this.#message.range(5, this.#traceId)
  }
}

/** Which member of `oneof value { double, sfixed64 = 6 }` is set: the last one, where both are. */
function numberKind(message: Message, doubleField: number): 'none' | 'int' | 'double' {
  if (!message.has(6)) return message.has(doubleField) ? 'double' : 'none'
  if (!message.has(doubleField)) return 'int'
  return message.places[doubleField * 3]! > message.places[18]! ? 'double' : 'int'
}

function numberValue(message: Message, doubleField: number): number {
  const kind = numberKind(message, doubleField)
  if (kind === 'none') return 0
  return kind === 'int' ? Number(message.sfixed64(6)) : message.double(doubleField)!
}

function integerOf(value: number): bigint {
  return Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n
}
