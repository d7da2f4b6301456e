import type {
  ByteRange,
  ChildList,
  DataPointCursor,
  ExemplarCursor,
  Fixed64,
  MetricCursor,
  MetricKind,
  ResourceCursor,
  ScopeCursor,
} from './cursors.ts'
import type { PlainMessage } from './plain.ts'
import { PlainChildren, PlainExemplar, PlainRecord, type Walk } from './plain-cursors.ts'
import {
  bytesOf,
  childOf,
  childrenOf,
  fixed64Of,
  hasField,
  listOf,
  numberOf,
  rangeOf,
  scalarOf,
  setBytes,
} from './plain-fields.ts'
import { textOf } from './plain-scalar.ts'

const KINDS = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const

/** The message in a metric that has its data points, where it has one. */
export function dataOf(metric: PlainMessage): PlainMessage | undefined {
  const kind = KINDS.find((name) => childOf(metric, name) !== undefined)
  return kind && childOf(metric, kind)
}

export class PlainMetric implements MetricCursor {
  node!: PlainMessage
  readonly resource: ResourceCursor
  readonly scope: ScopeCursor
  readonly #walk: Walk

  constructor(walk: Walk, scope: ScopeCursor) {
    this.#walk = walk
    this.scope = scope
    this.resource = scope.resource
  }

  get kind(): MetricKind {
    return KINDS.find((name) => childOf(this.node, name) !== undefined) ?? 'none'
  }

  get name(): ByteRange {
    return rangeOf(this.node, 'name')
  }

  nameText(): string {
    return textOf(bytesOf(this.node, 'name'))
  }

  get description(): ByteRange {
    return rangeOf(this.node, 'description')
  }

  get unit(): ByteRange {
    return rangeOf(this.node, 'unit')
  }

  get temporality(): number {
    return numberOf(dataOf(this.node), 'aggregationTemporality')
  }

  get monotonic(): boolean {
    return scalarOf(dataOf(this.node), 'isMonotonic') === true
  }

  setName(name: Uint8Array): void {
    this.#set('name', name)
  }

  setDescription(description: Uint8Array): void {
    this.#set('description', description)
  }

  setUnit(unit: Uint8Array): void {
    this.#set('unit', unit)
  }

  drop(): void {
    this.#walk.drop('metric')
  }

  #set(name: string, bytes: Uint8Array): void {
    setBytes(this.node, name, bytes)
    this.#walk.touch()
  }
}

/** A data point of any kind: what its message lacks reads as zero or empty. */
export class PlainDataPoint extends PlainRecord implements DataPointCursor {
  readonly metric: MetricCursor
  readonly exemplars: ChildList<ExemplarCursor>

  constructor(walk: Walk, metric: MetricCursor) {
    super(walk, metric.scope)
    this.metric = metric
    this.exemplars = new PlainChildren(this, 'exemplars', walk, new PlainExemplar(walk))
  }

  get startTime(): Fixed64 {
    return fixed64Of(this.node, 'startTimeUnixNano')
  }

  get time(): Fixed64 {
    return fixed64Of(this.node, 'timeUnixNano')
  }

  get flags(): number {
    return numberOf(this.node, 'flags')
  }

  get numberKind(): 'none' | 'int' | 'double' {
    if (hasField(this.node, 'asInt')) return 'int'
    return hasField(this.node, 'asDouble') ? 'double' : 'none'
  }

  value(): number {
    return Number(scalarOf(this.node, 'asInt') ?? scalarOf(this.node, 'asDouble') ?? 0)
  }

  valueBigint(): bigint {
    const value = scalarOf(this.node, 'asInt')
    if (typeof value === 'bigint') return value
    const double = this.value()
    return Number.isFinite(double) ? BigInt(Math.trunc(double)) : 0n
  }

  get count(): Fixed64 {
    return fixed64Of(this.node, 'count')
  }

  sum(): number | undefined {
    return this.#double('sum')
  }

  min(): number | undefined {
    return this.#double('min')
  }

  max(): number | undefined {
    return this.#double('max')
  }

  bucketCounts(): number[] {
    return listOf(this.node, 'bucketCounts').map(Number)
  }

  explicitBounds(): number[] {
    return listOf(this.node, 'explicitBounds').map(Number)
  }

  get scale(): number {
    return numberOf(this.node, 'scale')
  }

  get zeroCount(): Fixed64 {
    return fixed64Of(this.node, 'zeroCount')
  }

  get zeroThreshold(): number {
    return numberOf(this.node, 'zeroThreshold')
  }

  positive(): { readonly offset: number; readonly counts: number[] } {
    return this.#buckets('positive')
  }

  negative(): { readonly offset: number; readonly counts: number[] } {
    return this.#buckets('negative')
  }

  quantiles(): { readonly quantile: number; readonly value: number }[] {
    return childrenOf(this.node, 'quantileValues').map((entry) => ({
      quantile: numberOf(entry, 'quantile'),
      value: numberOf(entry, 'value'),
    }))
  }

  #double(name: string): number | undefined {
    const value = scalarOf(this.node, name)
    return value === undefined ? undefined : Number(value)
  }

  #buckets(name: string): { readonly offset: number; readonly counts: number[] } {
    const child = childOf(this.node, name)
    return { offset: numberOf(child, 'offset'), counts: listOf(child, 'bucketCounts').map(Number) }
  }
}
