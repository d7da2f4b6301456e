import type {
  Attributes,
  ByteRange,
  ChildList,
  DataPointCursor,
  Fixed64,
  LogCursor,
  MetricCursor,
  SpanCursor,
  ValueCursor,
} from '../../src/otlp/cursors.ts'
import type { AnyEditor } from '../../src/otlp/editors.ts'
import type { MetricEditor } from '../../src/otlp/metric-editor.ts'
import { readAnyValue } from '../../src/otlp/plain-attributes.ts'
import { type PlainField, type PlainObject, plainObjectOf } from '../../src/otlp/plain-object.ts'
import type { MessageSchema } from '../../src/otlp/schema.ts'

/*
 * A request as its cursors show it, in the shape of `toPlain`, so that it can be held against what other readers read.
 */

/** Everything that the cursors of an open editor show. */
export function readThroughCursors(editor: AnyEditor): PlainObject {
  const names = {
    traces: ['resourceSpans', 'scopeSpans', 'spans'],
    metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
    logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
  } as const
  const [resources, scopes, records] = names[editor.signal]
  const request: PlainObject[] = []
  while (editor.nextResource()) {
    const { resource } = editor
    const inResource: PlainObject[] = []
    const node = { resource: { attributes: attributes(resource.attributes) }, schemaUrl: resource.schemaUrl() }
    while (editor.nextScope()) {
      const { scope } = editor
      inResource.push({
        scope: { name: scope.nameText(), version: scope.versionText(), attributes: attributes(scope.attributes) },
        [records]: recordsOf(editor),
      })
    }
    request.push({ ...node, [scopes]: inResource })
  }
  return { [resources]: request }
}

function recordsOf(editor: AnyEditor): PlainObject[] {
  const list: PlainObject[] = []
  if (editor.signal === 'metrics') while (editor.nextMetric()) list.push(metric(editor, editor.metric))
  else if (editor.signal === 'traces') while (editor.nextRecord()) list.push(span(editor.span))
  else while (editor.nextRecord()) list.push(log(editor.log))
  return list
}

function span(cursor: SpanCursor): PlainObject {
  return {
    traceId: bytes(cursor.traceId),
    spanId: bytes(cursor.spanId),
    traceState: text(cursor.traceState),
    parentSpanId: bytes(cursor.parentSpanId),
    flags: cursor.flags,
    name: text(cursor.name),
    kind: cursor.kind,
    startTimeUnixNano: uint64(cursor.startTime),
    endTimeUnixNano: uint64(cursor.endTime),
    attributes: attributes(cursor.attributes),
    events: children(cursor.events, (event) => ({
      timeUnixNano: uint64(event.time),
      name: event.nameText(),
      attributes: attributes(event.attributes),
    })),
    links: children(cursor.links, (link) => ({
      traceId: bytes(link.traceId),
      spanId: bytes(link.spanId),
      traceState: text(link.traceState),
      attributes: attributes(link.attributes),
      flags: link.flags,
    })),
    status: { message: text(cursor.statusMessage), code: cursor.statusCode },
  }
}

function log(cursor: LogCursor): PlainObject {
  return {
    timeUnixNano: uint64(cursor.time),
    observedTimeUnixNano: uint64(cursor.observedTime),
    severityNumber: cursor.severityNumber,
    severityText: text(cursor.severityText),
    body: value(cursor.body),
    attributes: attributes(cursor.attributes),
    flags: cursor.flags,
    traceId: bytes(cursor.traceId),
    spanId: bytes(cursor.spanId),
    eventName: text(cursor.eventName),
  }
}

function metric(editor: MetricEditor, cursor: MetricCursor): PlainObject {
  const { kind } = cursor
  const texts = { name: cursor.nameText(), description: text(cursor.description), unit: text(cursor.unit) }
  if (kind === 'none') return texts
  const data = { aggregationTemporality: cursor.temporality, isMonotonic: cursor.monotonic }
  const dataPoints: PlainObject[] = []
  while (editor.nextRecord()) dataPoints.push(point(editor.point, kind))
  return { ...texts, [kind]: { dataPoints, ...data } }
}

function point(cursor: DataPointCursor, kind: string): PlainObject {
  const common = {
    attributes: attributes(cursor.attributes),
    startTimeUnixNano: uint64(cursor.startTime),
    timeUnixNano: uint64(cursor.time),
    flags: cursor.flags,
    count: uint64(cursor.count),
    exemplars: children(cursor.exemplars, (exemplar) => ({
      timeUnixNano: uint64(exemplar.time),
      // One number stands for both members of the oneof, see `comparable`.
      value: exemplar.value(),
      traceId: bytes(exemplar.traceId),
      spanId: bytes(exemplar.spanId),
      filteredAttributes: attributes(exemplar.attributes),
    })),
  }
  const optional = (name: string, number: number | undefined) => (number === undefined ? {} : { [name]: number })
  switch (kind) {
    case 'gauge':
    case 'sum':
      return {
        ...common,
        ...(cursor.numberKind === 'int' && { asInt: cursor.valueBigint() }),
        ...(cursor.numberKind === 'double' && { asDouble: cursor.value() }),
      }
    case 'summary':
      return { ...common, ...optional('sum', cursor.sum()), quantileValues: cursor.quantiles().map((q) => ({ ...q })) }
    case 'histogram':
      return {
        ...common,
        ...optional('sum', cursor.sum()),
        ...optional('min', cursor.min()),
        ...optional('max', cursor.max()),
        bucketCounts: cursor.bucketCounts(),
        explicitBounds: cursor.explicitBounds(),
      }
    default:
      return {
        ...common,
        ...optional('sum', cursor.sum()),
        ...optional('min', cursor.min()),
        ...optional('max', cursor.max()),
        scale: cursor.scale,
        zeroCount: uint64(cursor.zeroCount),
        zeroThreshold: cursor.zeroThreshold,
        positive: bucketsOf(cursor.positive()),
        negative: bucketsOf(cursor.negative()),
      }
  }
}

function bucketsOf({ offset, counts }: { readonly offset: number; readonly counts: number[] }): PlainObject {
  return { offset, bucketCounts: counts }
}

function children<T>(list: ChildList<T>, read: (cursor: T) => PlainObject): PlainObject[] {
  const found: PlainObject[] = []
  for (list.rewind(); list.next(); ) found.push(read(list.current))
  if (found.length !== list.size) throw new Error(`size says ${list.size}, the walk met ${found.length}`)
  return found
}

function attributes(cursor: Attributes): PlainObject[] {
  const found: PlainObject[] = []
  for (cursor.rewind(); cursor.next(); ) found.push({ key: cursor.keyText(), value: value(cursor.value) })
  if (found.length !== cursor.size) throw new Error(`size says ${cursor.size}, the walk met ${found.length}`)
  return found
}

function value(cursor: ValueCursor): PlainObject {
  const read = plainObjectOf(readAnyValue(cursor.encodedCopy()))
  const [name] = Object.keys(read)
  const expected = name === 'stringValueStrindex' ? 'empty' : (name?.replace('Value', '') ?? 'empty')
  if (cursor.kind !== expected) throw new Error(`the value is ${expected}, the cursor says ${cursor.kind}`)
  return read
}

function uint64({ high, low }: Fixed64): bigint {
  return (BigInt(high) << 32n) | BigInt(low)
}

function bytes({ buffer, start, end }: ByteRange): Uint8Array {
  return Uint8Array.from(buffer.subarray(start, end))
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

function text({ buffer, start, end }: ByteRange): string {
  return utf8.decode(buffer.subarray(start, end))
}

const NOT_SHOWN = /^(dropped\w+Count|entityRefs|metadata|keyStrindex|stringValueStrindex)$/

/**
 * What cursors can show of an object: absent and default are one, counts of buckets are numbers, the value of an exemplar is one
 * number, and some fields have no cursor.
 */
export function comparable(schema: MessageSchema, object: PlainObject): PlainObject {
  const result: PlainObject = {}
  for (const [name, field] of Object.entries(object)) {
    if (NOT_SHOWN.test(name) || (name === 'schemaUrl' && schema.name.startsWith('Scope'))) continue
    if (schema.name === 'Exemplar' && /^(asInt|asDouble|value)$/.test(name)) {
      if (Number(field) !== 0) result['value'] = Number(field)
      continue
    }
    const message = schema.byName.get(name)?.message
    const shown = shownField(name, field, message)
    const presence = schema.byName.get(name)?.presence === true && !message
    if (presence || !isEmpty(shown)) result[name] = shown
  }
  return result
}

function shownField(name: string, field: PlainField, message: MessageSchema | undefined): PlainField {
  if (name === 'bucketCounts') return (field as PlainField[]).map(Number)
  if (!message) return field
  if (Array.isArray(field)) return field.map((element) => comparable(message, element as PlainObject))
  return comparable(message, field as PlainObject)
}

function isEmpty(field: PlainField): boolean {
  if (field === '' || field === 0n || field === false || Object.is(field, 0)) return true
  if (field instanceof Uint8Array || Array.isArray(field)) return field.length === 0
  return typeof field === 'object' && Object.keys(field).length === 0
}
