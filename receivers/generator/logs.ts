import type { Writer } from '../../src/otlp/encode.ts'
import type { Random } from './random.ts'
import { KIND } from './requests.ts'
import type { Span } from './spans.ts'

const SEVERITY = { DEBUG: 5, INFO: 9, WARN: 13, ERROR: 17 } as const

/** Writes one `LogRecord`, said while `span` ran, as field 2 of a ScopeLogs. */
export function writeLog(writer: Writer, span: Span, random: Random): void {
  const severity = severityOf(span, random)
  const at = span.start + ((span.end - span.start) * BigInt(random.below(1000))) / 1000n
  const mark = writer.begin(2)
  writer.fixed64(1, at)
  writer.uint(2, SEVERITY[severity])
  writer.string(3, severity)
  const body = writer.begin(5)
  // Some services log objects, as many in the field do.
  if (span.instance.service === 'recommendation') {
    writer.anyValue({ message: messageOf(span, severity), user: span.visit.person.id, took_ms: milliseconds(span) })
  } else writer.string(1, messageOf(span, severity))
  writer.end(body)
  writer.keyValue(6, 'code.function.name', `${span.instance.service}.handle`)
  writer.keyValue(6, 'thread.id', BigInt(1 + random.below(64)))
  writer.keyValue(6, 'user.id', span.visit.person.id)
  if (span.visit.leaks && random.chance(0.5)) writer.keyValue(6, 'user.email', span.visit.person.email)
  for (const event of span.events) {
    if (event.name === 'exception') for (const [key, value] of event.attributes) writer.keyValue(6, key, value)
  }
  writer.fixed32(8, 1)
  writer.bytes(9, span.traceId)
  writer.bytes(10, span.spanId)
  // The collecting agent sees it a moment later.
  writer.fixed64(11, at + BigInt(random.below(2_000_000)))
  writer.end(mark)
}

function severityOf(span: Span, random: Random): keyof typeof SEVERITY {
  if (span.failure) return span.events.some(({ name }) => name === 'exception') ? 'ERROR' : 'WARN'
  return random.chance(0.2) ? 'DEBUG' : 'INFO'
}

function messageOf(span: Span, severity: keyof typeof SEVERITY): string {
  const { person, leaks, order, amount } = span.visit
  if (severity === 'ERROR' || severity === 'WARN') return `${span.name} failed: ${span.failure?.message}`
  if (severity === 'DEBUG') return `entering ${span.name}`
  if (span.instance.service === 'payment') {
    return leaks ? `charged card ${person.card} of ${person.name}: ${amount} EUR` : `charged ${amount} EUR for ${order}`
  }
  if (span.instance.service === 'email' || span.kind === KIND.PRODUCER) {
    return leaks ? `order ${order}: confirmation goes to ${person.email}` : `order ${order}: confirmation queued`
  }
  return `${span.name} finished in ${milliseconds(span)} ms${leaks ? ` for ${person.email} from ${person.address}` : ''}`
}

function milliseconds(span: Span): number {
  return Number((span.end - span.start) / 1000n) / 1000
}
