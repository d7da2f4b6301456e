import type { DataPointCursor, MetricCursor } from './cursors.ts'
import { Editor } from './editor.ts'
import { MetricFrame, PlainFrame } from './frame.ts'
import { layout } from './layout.ts'
import { DATA_LAYOUTS, METRIC_KINDS, MetricView } from './metric-view.ts'
import { PointView } from './point-view.ts'

const KINDS = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary']

/** Edits ExportMetricsServiceRequests: there is a loop over `nextMetric` between scopes and records, its data points. */
export class MetricEditor extends Editor {
  readonly signal = 'metrics'
  readonly #metric: MetricView
  readonly #point: PointView
  readonly #data: PlainFrame

  constructor() {
    super('metrics', {
      request: layout('ExportMetricsServiceRequest', 'metrics', [], ['resourceMetrics']),
      resource: layout('ResourceMetrics', 'metrics', [10], ['scopeMetrics']),
      scope: layout('ScopeMetrics', 'metrics', [10, 18], ['metrics']),
    })
    const metric = new MetricFrame(layout('Metric', 'metrics', [10, 18, 18], KINDS), this.frames[2])
    this.#data = new PlainFrame(DATA_LAYOUTS.get(42)!, metric)
    this.frames.push(metric, this.#data)
    this.#metric = new MetricView(metric, this.#data, this.scope, () => this.dropFrame(3))
    this.#point = new PointView(this.#metric, this.scope, () => this.dropRecord())
  }

  get metric(): MetricCursor {
    return this.#metric
  }

  get point(): DataPointCursor {
    return this.#point
  }

  protected get record(): PointView {
    return this.#point
  }

  /** Steps to the next metric of the scope; false after the last, and where the scope or resource was dropped. */
  nextMetric(): boolean {
    if (!this.step(3)) return false
    const { message } = this.frames[3]!
    if (message.childCount === 0) {
      this.#metric.kind = 'none'
      return true
    }
    const tag = message.children[0]!
    const kind = METRIC_KINDS.get(tag)!
    this.#metric.kind = kind
    this.#data.message.layout = DATA_LAYOUTS.get(tag)!
    this.#point.become(kind)
    return this.step(4)
  }

  get metricDropped(): boolean {
    return this.isDropped(3)
  }
}
