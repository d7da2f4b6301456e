import type { Writer } from '../../src/otlp/encode.ts'
import type { Random } from './random.ts'
import { type Failure, KIND, type Step, type Visit } from './requests.ts'
import { type Attributes, INSTANCES, type Instance, type Instances } from './shop.ts'

interface SpanEvent {
  readonly name: string
  readonly at: bigint
  readonly attributes: Attributes
}

/** A span before it is bytes. Times are Unix nanoseconds. */
export interface Span {
  readonly instance: Instance
  readonly visit: Visit
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
  readonly parent: Span | undefined
  readonly link: Span | undefined
  readonly name: string
  readonly kind: number
  readonly start: bigint
  end: bigint
  readonly attributes: Attributes
  readonly events: SpanEvent[]
  ended: Attributes
  /** What went wrong, here or in a call. */
  failure: Failure | undefined
}

export interface TraceOptions {
  readonly random: Random
  readonly instances: Instances
  readonly visit: Visit
  /** Which step fails; its callers fail with it. */
  readonly failing: Step | undefined
}

/** The spans of one visit, parents before children, beginning at `start`. */
export function makeTrace(root: Step, start: bigint, options: TraceOptions): Span[] {
  const spans: Span[] = []
  const { random } = options
  const walk = (step: Step, at: bigint, parent: Span | undefined, link: Span | undefined): Span => {
    const span: Span = {
      instance: options.instances[step.service][random.below(INSTANCES)]!,
      visit: options.visit,
      traceId: parent?.traceId ?? random.id(16),
      spanId: random.id(8),
      parent,
      link,
      name: step.name,
      kind: step.kind,
      start: at,
      end: at,
      attributes: [...step.attributes(options.visit), ...surroundings(step, random)],
      events: [],
      ended: [],
      failure: undefined,
    }
    spans.push(span)
    const own = BigInt(Math.round(random.logNormal(step.ms, 0.5) * 1e6))
    // Half of the own time passes before the calls, half after.
    let now = at + own / 2n
    if (step === options.failing) {
      span.failure = step.failure
      span.events.push(exception(step.failure!, now, span))
    } else {
      for (const call of step.calls) {
        if (step.queued) {
          walk(call, now + own + BigInt(random.below(20e6)), undefined, span)
          continue
        }
        const child = walk(call, now, span, undefined)
        now = child.end
        if (child.failure === undefined) continue
        // Whoever called the failed step gives up the rest of its calls.
        span.failure = child.failure
        break
      }
    }
    if (step.kind === KIND.CLIENT && step.calls.length === 0 && random.chance(0.05)) {
      span.events.push({ name: 'retry', at: now, attributes: [['attempt', 2n]] })
    }
    span.end = now + own / 2n
    span.ended = step.ended?.(span.failure !== undefined) ?? []
    return span
  }
  walk(root, start, undefined, undefined)
  return spans
}

/** What auto-instrumentation adds to everything. */
function surroundings({ service, kind }: Step, random: Random): Attributes {
  const thread = 1 + random.below(32)
  return [
    ['code.function.name', `shop.${service}.${kind === KIND.SERVER ? 'Server.handle' : 'Client.invoke'}`],
    ['thread.id', BigInt(thread)],
    ['thread.name', `worker-${thread}`],
    ['network.peer.address', `10.8.${random.below(16)}.${1 + random.below(254)}`],
    ['network.peer.port', BigInt(32_768 + random.below(28_000))],
  ]
}

function exception({ type, message }: Failure, at: bigint, { instance, name }: Span): SpanEvent {
  const frames = ['handle', 'invoke', 'dispatch', 'run'].map(
    (method, depth) => `\tat ${instance.service}.${method}(${instance.service}_service:${118 + depth * 37})`,
  )
  return {
    name: 'exception',
    at,
    attributes: [
      ['exception.type', type],
      ['exception.message', message],
      ['exception.stacktrace', [`${type}: ${message}`, `\tat ${name}`, ...frames].join('\n')],
    ],
  }
}

/** W3C trace flags "sampled", with "the parent is remote" where another service called (SpanFlags). */
function flagsOf(span: Span): number {
  const remote = span.parent !== undefined && span.parent.instance.service !== span.instance.service
  return remote ? 0x301 : 0x101
}

/** Writes one `Span` as field 2 of a ScopeSpans. */
export function writeSpan(writer: Writer, span: Span): void {
  const mark = writer.begin(2)
  writer.bytes(1, span.traceId)
  writer.bytes(2, span.spanId)
  if (span.parent) writer.bytes(4, span.parent.spanId)
  writer.string(5, span.name)
  writer.uint(6, span.kind)
  writer.fixed64(7, span.start)
  writer.fixed64(8, span.end)
  for (const [key, value] of span.attributes) writer.keyValue(9, key, value)
  for (const [key, value] of span.ended) writer.keyValue(9, key, value)
  for (const { name, at, attributes } of span.events) {
    const event = writer.begin(11)
    writer.fixed64(1, at)
    writer.string(2, name)
    for (const [key, value] of attributes) writer.keyValue(3, key, value)
    writer.end(event)
  }
  if (span.link) {
    const link = writer.begin(13)
    writer.bytes(1, span.link.traceId)
    writer.bytes(2, span.link.spanId)
    writer.end(link)
  }
  const status = writer.begin(15)
  if (span.failure) {
    writer.string(2, span.failure.message)
    writer.uint(3, 2)
  }
  writer.end(status)
  writer.fixed32(16, flagsOf(span))
  writer.end(mark)
}
