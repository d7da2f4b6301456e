import type { ByteRange, MetricCursor, MetricKind, ResourceCursor, ScopeCursor } from './cursors.ts'
import type { Frame, MetricFrame } from './frame.ts'
import { type Layout, layout } from './layout.ts'
import { Range, textOf } from './text.ts'

/** By the tag of the member of `Metric.data`. */
export const METRIC_KINDS: ReadonlyMap<number, Exclude<MetricKind, 'none'>> = new Map([
  [42, 'gauge'],
  [58, 'sum'],
  [74, 'histogram'],
  [82, 'exponentialHistogram'],
  [90, 'summary'],
])

/** Layouts of what holds the points, by the same tag. */
export const DATA_LAYOUTS: ReadonlyMap<number, Layout> = new Map(
  [...METRIC_KINDS].map(([tag, kind]) => {
    const name = kind.charAt(0).toUpperCase() + kind.slice(1)
    return [tag, layout(name, 'metrics', [10, 18, 18, tag], ['dataPoints'])]
  }),
)

/** A metric in place. */
export class MetricView implements MetricCursor {
  readonly resource: ResourceCursor
  readonly scope: ScopeCursor
  kind: MetricKind = 'none'
  readonly #metric: MetricFrame
  readonly #data: Frame
  readonly #drop: () => void
  readonly #name = new Range()
  readonly #description = new Range()
  readonly #unit = new Range()

  constructor(metric: MetricFrame, data: Frame, scope: ScopeCursor, drop: () => void) {
    this.#metric = metric
    this.#data = data
    this.scope = scope
    this.resource = scope.resource
    this.#drop = drop
  }

  get name(): ByteRange {
    return this.#metric.message.range(1, this.#name)
  }

  nameText(): string {
    return textOf(this.name)
  }

  get description(): ByteRange {
    return this.#metric.message.range(2, this.#description)
  }

  get unit(): ByteRange {
    return this.#metric.message.range(3, this.#unit)
  }

  get temporality(): number {
    return this.kind === 'none' ? 0 : this.#data.message.int(2)
  }

  get monotonic(): boolean {
    return this.kind === 'sum' && this.#data.message.bool(3)
  }

  setName(name: Uint8Array): void {
    this.#metric.message.setBytes(1, name)
  }

  setDescription(description: Uint8Array): void {
    this.#metric.message.setBytes(2, description)
  }

  setUnit(unit: Uint8Array): void {
    this.#metric.message.setBytes(3, unit)
  }

  drop(): void {
    this.#drop()
  }
}
