import { Writer } from '../../src/otlp/encode.ts'
import { writeLog } from './logs.ts'
import { Metrics } from './metrics.ts'
import { makePerson } from './people.ts'
import { Random } from './random.ts'
import { PAGES, type Step } from './requests.ts'
import { type Instance, type Instances, makeInstances, nanoseconds } from './shop.ts'
import { makeTrace, type Span, writeSpan } from './spans.ts'

export interface ModelOptions {
  /** Same seed, same times asked for: same bytes. */
  readonly seed: number
  /** Share of visits that fail somewhere, 0 to 1. */
  readonly errorRatio: number
  /** Share of visits whose person's data gets into telemetry, 0 to 1. */
  readonly piiRatio: number
}

const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
]

/** How many spans are remembered for logs and exemplars to belong to. */
const REMEMBERED = 256

/** Steps of each page that can go wrong. */
const FAILING = new Map(PAGES.map(({ root }) => [root, stepsThatFail(root)]))
const WEIGHTS = PAGES.flatMap(({ weight, root }) => Array<Step>(weight).fill(root))

function stepsThatFail(step: Step): Step[] {
  return [...(step.failure ? [step] : []), ...step.calls.flatMap(stepsThatFail)]
}

/**
 * A web shop that exists only as telemetry. Each method returns one serialized request with exactly as many items as asked for;
 * `now` is Unix time in milliseconds, and what is told happened shortly before it.
 */
export class Model {
  readonly #options: ModelOptions
  readonly #random: Random
  readonly #instances: Instances
  readonly #metrics: Metrics
  readonly #writer = new Writer(1 << 16)
  /** Spans of traces that did not fit into the last request. */
  #waiting: Span[] = []
  readonly #recent: Span[] = []

  constructor(options: ModelOptions) {
    this.#options = options
    this.#random = new Random(options.seed)
    this.#instances = makeInstances(this.#random)
    this.#metrics = new Metrics(this.#instances, this.#random)
  }

  /** An `ExportTraceServiceRequest`. A trace may go on in the next one, as in real life. */
  traces(spans: number, now: number): Uint8Array {
    while (this.#waiting.length < spans) for (const span of this.#trace(now)) this.#waiting.push(span)
    const taken = this.#waiting.splice(0, spans)
    return this.#grouped(taken, (writer, span) => writeSpan(writer, span))
  }

  /** An `ExportLogsServiceRequest`. The records belong to spans of recent traces. */
  logs(records: number, now: number): Uint8Array {
    const spans = Array.from({ length: records }, () => this.#recentSpan(now))
    return this.#grouped(spans, (writer, span) => writeLog(writer, span, this.#random))
  }

  /** An `ExportMetricsServiceRequest`. Sums and histograms are cumulative since the first call. */
  metrics(points: number, now: number): Uint8Array {
    this.#writer.reset()
    this.#metrics.write(this.#writer, points, nanoseconds(now), this.#recent.at(-1))
    return this.#writer.finish()
  }

  /** Resource by resource, in the order in which they first occur. */
  #grouped(spans: readonly Span[], write: (writer: Writer, span: Span) => void): Uint8Array {
    const groups = new Map<Instance, Span[]>()
    for (const span of spans) {
      const group = groups.get(span.instance)
      if (group) group.push(span)
      else groups.set(span.instance, [span])
    }
    const writer = this.#writer
    writer.reset()
    for (const [instance, members] of groups) {
      const resource = writer.begin(1)
      writer.raw(instance.resource)
      const scope = writer.begin(2)
      writer.raw(instance.scope)
      for (const span of members) write(writer, span)
      writer.end(scope)
      writer.end(resource)
    }
    return writer.finish()
  }

  #trace(now: number): Span[] {
    const random = this.#random
    const { errorRatio, piiRatio } = this.#options
    const root = random.pick(WEIGHTS)
    const candidates = FAILING.get(root)!
    const failing = random.chance(errorRatio) ? random.pick(candidates) : undefined
    const visit = {
      person: makePerson(random),
      leaks: random.chance(piiRatio),
      product: `${random.pick(['mug', 'lamp', 'desk', 'tent', 'kite'])}-${random.digits(4)}`,
      order: `o-${random.digits(8)}`,
      amount: Math.round(random.logNormal(4000, 0.9)) / 100,
      agent: random.pick(AGENTS),
    }
    // Most visits are over by now; a slow one may seem to end a little ahead of time.
    const start = nanoseconds(now - 300 - random.fraction() * 500)
    const spans = makeTrace(root, start, { random, instances: this.#instances, visit, failing })
    this.#recent.push(...spans)
    if (this.#recent.length > REMEMBERED) this.#recent.splice(0, this.#recent.length - REMEMBERED)
    return spans
  }

  #recentSpan(now: number): Span {
    if (this.#recent.length === 0) this.#trace(now)
    return this.#random.pick(this.#recent)
  }
}
