import type { Writer } from '../../src/otlp/encode.ts'
import type { Random } from './random.ts'
import { type Attributes, type Instance, type Instances, SERVICE_NAMES, type ServiceName } from './shop.ts'
import type { Span } from './spans.ts'

const CUMULATIVE = 2
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
/** Buckets per power of two: 2^3, so a bucket's bounds are 9 % apart. */
const SCALE = 3

interface MetricInfo {
  readonly name: string
  readonly description: string
  readonly unit: string
  /** Field of `Metric` that holds the points. */
  readonly kind: 'gauge' | 'sum' | 'monotonic' | 'histogram' | 'exponential'
  readonly services: readonly ServiceName[]
  readonly series: readonly Attributes[]
  /** Where values lie: the middle of a gauge, the growth of a sum, the median of a latency. */
  readonly typical: number
  readonly whole?: boolean
}

const HTTP: readonly ServiceName[] = ['frontend', 'catalog', 'cart']
const RPC: readonly ServiceName[] = ['recommendation', 'checkout', 'payment', 'shipping']
const routes = ['/', '/product/{id}', '/cart'].flatMap((route): Attributes[] =>
  [200n, 500n].map((status) => [
    ['http.request.method', 'GET'],
    ['http.route', route],
    ['http.response.status_code', status],
  ]),
)

const METRICS: readonly MetricInfo[] = [
  {
    name: 'process.cpu.utilization',
    description: 'Share of the available processor time that the process used.',
    unit: '1',
    kind: 'gauge',
    services: SERVICE_NAMES,
    series: [[['cpu.mode', 'user']], [['cpu.mode', 'system']]],
    typical: 0.3,
  },
  {
    name: 'process.memory.usage',
    description: 'Physical memory in use.',
    unit: 'By',
    kind: 'sum',
    services: SERVICE_NAMES,
    series: [[]],
    typical: 180_000_000,
    whole: true,
  },
  {
    name: 'process.cpu.time',
    description: 'Processor time used.',
    unit: 's',
    kind: 'monotonic',
    services: SERVICE_NAMES,
    series: [[['cpu.mode', 'user']], [['cpu.mode', 'system']]],
    typical: 0.4,
  },
  {
    name: 'http.server.request.duration',
    description: 'Duration of HTTP server requests.',
    unit: 's',
    kind: 'histogram',
    services: HTTP,
    series: routes,
    typical: 0.03,
  },
  {
    name: 'rpc.server.duration',
    description: 'Duration of inbound calls.',
    unit: 's',
    kind: 'exponential',
    services: RPC,
    series: [[['rpc.system', 'grpc']]],
    typical: 0.012,
  },
  {
    name: 'shop.orders',
    description: 'Orders placed.',
    unit: '{order}',
    kind: 'monotonic',
    services: ['checkout'],
    series: ['EUR', 'USD', 'JPY'].map((currency) => [['shop.currency', currency]]),
    typical: 3,
    whole: true,
  },
]

/** One time series and what has been counted in it. */
interface Series {
  readonly instance: Instance
  readonly metric: MetricInfo
  readonly attributes: Attributes
  value: number
  count: number
  sum: number
  min: number
  max: number
  /** Explicit buckets, or exponential ones by index. */
  readonly buckets: Map<number, number>
}

/** The shop's metrics: every series in turn, each with values that go on from its last. */
export class Metrics {
  readonly #series: readonly Series[]
  readonly #random: Random
  #next = 0
  #started: bigint | undefined

  constructor(instances: Instances, random: Random) {
    this.#random = random
    this.#series = SERVICE_NAMES.flatMap((service) => instances[service].flatMap((instance) => seriesOf(instance)))
  }

  /**
   * Writes an `ExportMetricsServiceRequest` of exactly `points` data points. Each reading of all series takes up where the last one
   * stopped; one that comes round to the same series again within a request is a microsecond later.
   */
  write(writer: Writer, points: number, now: bigint, recent: Span | undefined): void {
    this.#started ??= now - 1_000_000_000n
    let open: { series: Series; marks: number[] } | undefined
    let time = now
    for (let made = 0; made < points; made++) {
      if (this.#next === this.#series.length) {
        this.#next = 0
        time += 1000n
      }
      const series = this.#series[this.#next++]!
      if (open?.series.instance !== series.instance || open.series.metric !== series.metric) {
        if (open) closeMetric(writer, open.series.metric, open.marks, open.series.instance !== series.instance)
        const resource = open?.series.instance === series.instance ? open.marks.slice(0, 2) : openScope(writer, series)
        open = { series, marks: [...resource, ...openMetric(writer, series.metric)] }
      }
      this.#observe(series)
      this.#writePoint(writer, series, time, recent)
    }
    if (open) closeMetric(writer, open.series.metric, open.marks, true)
  }

  #observe(series: Series): void {
    const random = this.#random
    const { kind, typical, whole } = series.metric
    if (kind === 'gauge' || kind === 'sum') {
      // Drifts back to the middle, so that it never leaves the plausible.
      const next = series.value + (typical - series.value) * 0.1 + typical * 0.05 * (random.fraction() - 0.5)
      series.value = whole ? Math.round(next) : next
      return
    }
    if (kind === 'monotonic') {
      const more = random.logNormal(typical, 0.6)
      series.value += whole ? Math.floor(more) : more
      return
    }
    for (let n = 1 + random.below(8); n > 0; n--) {
      const seconds = random.logNormal(typical, 0.8)
      series.count++
      series.sum += seconds
      series.min = Math.min(series.min, seconds)
      series.max = Math.max(series.max, seconds)
      const bucket =
        kind === 'histogram'
          ? SECONDS.filter((bound) => bound < seconds).length
          : Math.ceil(Math.log2(seconds) * 2 ** SCALE) - 1
      series.buckets.set(bucket, (series.buckets.get(bucket) ?? 0) + 1)
    }
  }

  #writePoint(writer: Writer, series: Series, time: bigint, recent: Span | undefined): void {
    const { kind, whole } = series.metric
    const mark = writer.begin(1)
    writer.fixed64(2, this.#started!)
    writer.fixed64(3, time)
    const attributesField = kind === 'histogram' ? 9 : kind === 'exponential' ? 1 : 7
    for (const [key, value] of series.attributes) writer.keyValue(attributesField, key, value)
    if (kind === 'histogram') writeHistogram(writer, series, time, recent)
    else if (kind === 'exponential') writeExponential(writer, series)
    else if (whole) writer.fixed64(6, BigInt(series.value))
    else writer.double(4, series.value)
    writer.end(mark)
  }
}

function seriesOf(instance: Instance): Series[] {
  return METRICS.filter(({ services }) => services.includes(instance.service)).flatMap((metric) =>
    metric.series.map((attributes) => ({
      instance,
      metric,
      attributes,
      value: metric.kind === 'monotonic' ? 0 : metric.typical,
      count: 0,
      sum: 0,
      min: Number.POSITIVE_INFINITY,
      max: 0,
      buckets: new Map(),
    })),
  )
}

function openScope(writer: Writer, { instance }: Series): number[] {
  const resource = writer.begin(1)
  writer.raw(instance.resource)
  const scope = writer.begin(2)
  writer.raw(instance.scope)
  return [resource, scope]
}

const DATA_FIELD = { gauge: 5, sum: 7, monotonic: 7, histogram: 9, exponential: 10 } as const

function openMetric(writer: Writer, metric: MetricInfo): number[] {
  const mark = writer.begin(2)
  writer.string(1, metric.name)
  writer.string(2, metric.description)
  writer.string(3, metric.unit)
  return [mark, writer.begin(DATA_FIELD[metric.kind])]
}

function closeMetric(writer: Writer, { kind }: MetricInfo, marks: readonly number[], withResource: boolean): void {
  if (kind !== 'gauge') writer.uint(2, CUMULATIVE)
  if (kind === 'monotonic') writer.uint(3, 1)
  const open = withResource ? marks : marks.slice(2)
  for (const mark of open.toReversed()) writer.end(mark)
}

function writeHistogram(writer: Writer, series: Series, time: bigint, recent: Span | undefined): void {
  writer.fixed64(4, BigInt(series.count))
  writer.double(5, series.sum)
  const counts = writer.begin(6)
  for (let i = 0; i <= SECONDS.length; i++) writer.rawFixed64(BigInt(series.buckets.get(i) ?? 0))
  writer.end(counts)
  const bounds = writer.begin(7)
  for (const bound of SECONDS) writer.rawDouble(bound)
  writer.end(bounds)
  if (recent) {
    const exemplar = writer.begin(8)
    writer.fixed64(2, time)
    writer.double(3, series.max)
    writer.bytes(4, recent.spanId)
    writer.bytes(5, recent.traceId)
    writer.end(exemplar)
  }
  writer.double(11, series.min)
  writer.double(12, series.max)
}

function writeExponential(writer: Writer, series: Series): void {
  writer.fixed64(4, BigInt(series.count))
  writer.double(5, series.sum)
  writer.sint(6, SCALE)
  const indexes = [...series.buckets.keys()]
  const first = Math.min(...indexes)
  const last = Math.max(...indexes)
  const positive = writer.begin(8)
  writer.sint(1, first)
  const counts = writer.begin(2)
  for (let i = first; i <= last; i++) writer.varint(series.buckets.get(i) ?? 0)
  writer.end(counts)
  writer.end(positive)
  writer.double(12, series.min)
  writer.double(13, series.max)
}
