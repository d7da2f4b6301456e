export type ScalarType =
  | 'string'
  | 'bytes'
  | 'bool'
  | 'int32'
  | 'int64'
  | 'uint32'
  | 'uint64'
  | 'sint32'
  | 'fixed32'
  | 'fixed64'
  | 'sfixed64'
  | 'double'
  | 'enum'

/** A field as it is written down below; `schema.ts` links it to its message. */
export interface Declared {
  readonly number: number
  readonly type: ScalarType | 'message'
  readonly message?: string
  readonly repeated?: true
  readonly optional?: true
  readonly oneof?: string
  readonly hex?: true
  readonly values?: readonly string[]
}

const scalar = (number: number, type: ScalarType): Declared => ({ number, type })
const optional = (number: number, type: ScalarType): Declared => ({ number, type, optional: true })
const scalars = (number: number, type: ScalarType): Declared => ({ number, type, repeated: true })
const id = (number: number): Declared => ({ number, type: 'bytes', hex: true })
const one = (number: number, message: string): Declared => ({ number, type: 'message', message })
const many = (number: number, message: string): Declared => ({ number, type: 'message', message, repeated: true })
const enumeration = (number: number, values: readonly string[]): Declared => ({ number, type: 'enum', values })
const member = (oneof: string, declared: Declared): Declared => ({ ...declared, oneof })

export const SPAN_KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map(
  (kind) => `SPAN_KIND_${kind}`,
)
export const STATUS_CODES = ['STATUS_CODE_UNSET', 'STATUS_CODE_OK', 'STATUS_CODE_ERROR']
export const TEMPORALITIES = ['UNSPECIFIED', 'DELTA', 'CUMULATIVE'].map((name) => `AGGREGATION_TEMPORALITY_${name}`)
export const SEVERITIES = [
  'SEVERITY_NUMBER_UNSPECIFIED',
  ...['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].flatMap((level) =>
    ['', '2', '3', '4'].map((step) => `SEVERITY_NUMBER_${level}${step}`),
  ),
]

/**
 * opentelemetry-proto 1.10: traces, metrics and logs are stable since 1.0; profiles are v1development and have been
 * renumbered between releases. The two `…Strindex` fields belong to profiles only.
 */
export const DECLARED: Readonly<Record<string, Readonly<Record<string, Declared>>>> = {
  AnyValue: {
    stringValue: member('value', scalar(1, 'string')),
    boolValue: member('value', scalar(2, 'bool')),
    intValue: member('value', scalar(3, 'int64')),
    doubleValue: member('value', scalar(4, 'double')),
    arrayValue: member('value', one(5, 'ArrayValue')),
    kvlistValue: member('value', one(6, 'KeyValueList')),
    bytesValue: member('value', scalar(7, 'bytes')),
    stringValueStrindex: member('value', scalar(8, 'int32')),
  },
  ArrayValue: { values: many(1, 'AnyValue') },
  KeyValueList: { values: many(1, 'KeyValue') },
  KeyValue: { key: scalar(1, 'string'), value: one(2, 'AnyValue'), keyStrindex: scalar(3, 'int32') },
  InstrumentationScope: {
    name: scalar(1, 'string'),
    version: scalar(2, 'string'),
    attributes: many(3, 'KeyValue'),
    droppedAttributesCount: scalar(4, 'uint32'),
  },
  EntityRef: {
    schemaUrl: scalar(1, 'string'),
    type: scalar(2, 'string'),
    idKeys: scalars(3, 'string'),
    descriptionKeys: scalars(4, 'string'),
  },
  Resource: {
    attributes: many(1, 'KeyValue'),
    droppedAttributesCount: scalar(2, 'uint32'),
    entityRefs: many(3, 'EntityRef'),
  },

  ExportTraceServiceRequest: { resourceSpans: many(1, 'ResourceSpans') },
  ResourceSpans: {
    resource: one(1, 'Resource'),
    scopeSpans: many(2, 'ScopeSpans'),
    schemaUrl: scalar(3, 'string'),
  },
  ScopeSpans: {
    scope: one(1, 'InstrumentationScope'),
    spans: many(2, 'Span'),
    schemaUrl: scalar(3, 'string'),
  },
  Span: {
    traceId: id(1),
    spanId: id(2),
    traceState: scalar(3, 'string'),
    parentSpanId: id(4),
    flags: scalar(16, 'fixed32'),
    name: scalar(5, 'string'),
    kind: enumeration(6, SPAN_KINDS),
    startTimeUnixNano: scalar(7, 'fixed64'),
    endTimeUnixNano: scalar(8, 'fixed64'),
    attributes: many(9, 'KeyValue'),
    droppedAttributesCount: scalar(10, 'uint32'),
    events: many(11, 'SpanEvent'),
    droppedEventsCount: scalar(12, 'uint32'),
    links: many(13, 'SpanLink'),
    droppedLinksCount: scalar(14, 'uint32'),
    status: one(15, 'Status'),
  },
  SpanEvent: {
    timeUnixNano: scalar(1, 'fixed64'),
    name: scalar(2, 'string'),
    attributes: many(3, 'KeyValue'),
    droppedAttributesCount: scalar(4, 'uint32'),
  },
  SpanLink: {
    traceId: id(1),
    spanId: id(2),
    traceState: scalar(3, 'string'),
    attributes: many(4, 'KeyValue'),
    droppedAttributesCount: scalar(5, 'uint32'),
    flags: scalar(6, 'fixed32'),
  },
  Status: { message: scalar(2, 'string'), code: enumeration(3, STATUS_CODES) },

  ExportLogsServiceRequest: { resourceLogs: many(1, 'ResourceLogs') },
  ResourceLogs: {
    resource: one(1, 'Resource'),
    scopeLogs: many(2, 'ScopeLogs'),
    schemaUrl: scalar(3, 'string'),
  },
  ScopeLogs: {
    scope: one(1, 'InstrumentationScope'),
    logRecords: many(2, 'LogRecord'),
    schemaUrl: scalar(3, 'string'),
  },
  LogRecord: {
    timeUnixNano: scalar(1, 'fixed64'),
    observedTimeUnixNano: scalar(11, 'fixed64'),
    severityNumber: enumeration(2, SEVERITIES),
    severityText: scalar(3, 'string'),
    body: one(5, 'AnyValue'),
    attributes: many(6, 'KeyValue'),
    droppedAttributesCount: scalar(7, 'uint32'),
    flags: scalar(8, 'fixed32'),
    traceId: id(9),
    spanId: id(10),
    eventName: scalar(12, 'string'),
  },

  ExportMetricsServiceRequest: { resourceMetrics: many(1, 'ResourceMetrics') },
  ResourceMetrics: {
    resource: one(1, 'Resource'),
    scopeMetrics: many(2, 'ScopeMetrics'),
    schemaUrl: scalar(3, 'string'),
  },
  ScopeMetrics: {
    scope: one(1, 'InstrumentationScope'),
    metrics: many(2, 'Metric'),
    schemaUrl: scalar(3, 'string'),
  },
  Metric: {
    name: scalar(1, 'string'),
    description: scalar(2, 'string'),
    unit: scalar(3, 'string'),
    gauge: member('data', one(5, 'Gauge')),
    sum: member('data', one(7, 'Sum')),
    histogram: member('data', one(9, 'Histogram')),
    exponentialHistogram: member('data', one(10, 'ExponentialHistogram')),
    summary: member('data', one(11, 'Summary')),
    metadata: many(12, 'KeyValue'),
  },
  Gauge: { dataPoints: many(1, 'NumberDataPoint') },
  Sum: {
    dataPoints: many(1, 'NumberDataPoint'),
    aggregationTemporality: enumeration(2, TEMPORALITIES),
    isMonotonic: scalar(3, 'bool'),
  },
  Histogram: {
    dataPoints: many(1, 'HistogramDataPoint'),
    aggregationTemporality: enumeration(2, TEMPORALITIES),
  },
  ExponentialHistogram: {
    dataPoints: many(1, 'ExponentialHistogramDataPoint'),
    aggregationTemporality: enumeration(2, TEMPORALITIES),
  },
  Summary: { dataPoints: many(1, 'SummaryDataPoint') },
  NumberDataPoint: {
    attributes: many(7, 'KeyValue'),
    startTimeUnixNano: scalar(2, 'fixed64'),
    timeUnixNano: scalar(3, 'fixed64'),
    asDouble: member('value', scalar(4, 'double')),
    asInt: member('value', scalar(6, 'sfixed64')),
    exemplars: many(5, 'Exemplar'),
    flags: scalar(8, 'uint32'),
  },
  HistogramDataPoint: {
    attributes: many(9, 'KeyValue'),
    startTimeUnixNano: scalar(2, 'fixed64'),
    timeUnixNano: scalar(3, 'fixed64'),
    count: scalar(4, 'fixed64'),
    sum: optional(5, 'double'),
    bucketCounts: scalars(6, 'fixed64'),
    explicitBounds: scalars(7, 'double'),
    exemplars: many(8, 'Exemplar'),
    flags: scalar(10, 'uint32'),
    min: optional(11, 'double'),
    max: optional(12, 'double'),
  },
  ExponentialHistogramDataPoint: {
    attributes: many(1, 'KeyValue'),
    startTimeUnixNano: scalar(2, 'fixed64'),
    timeUnixNano: scalar(3, 'fixed64'),
    count: scalar(4, 'fixed64'),
    sum: optional(5, 'double'),
    scale: scalar(6, 'sint32'),
    zeroCount: scalar(7, 'fixed64'),
    positive: one(8, 'Buckets'),
    negative: one(9, 'Buckets'),
    flags: scalar(10, 'uint32'),
    exemplars: many(11, 'Exemplar'),
    min: optional(12, 'double'),
    max: optional(13, 'double'),
    zeroThreshold: scalar(14, 'double'),
  },
  Buckets: { offset: scalar(1, 'sint32'), bucketCounts: scalars(2, 'uint64') },
  SummaryDataPoint: {
    attributes: many(7, 'KeyValue'),
    startTimeUnixNano: scalar(2, 'fixed64'),
    timeUnixNano: scalar(3, 'fixed64'),
    count: scalar(4, 'fixed64'),
    sum: scalar(5, 'double'),
    quantileValues: many(6, 'ValueAtQuantile'),
    flags: scalar(8, 'uint32'),
  },
  ValueAtQuantile: { quantile: scalar(1, 'double'), value: scalar(2, 'double') },
  Exemplar: {
    filteredAttributes: many(7, 'KeyValue'),
    timeUnixNano: scalar(2, 'fixed64'),
    asDouble: member('value', scalar(3, 'double')),
    asInt: member('value', scalar(6, 'sfixed64')),
    spanId: id(4),
    traceId: id(5),
  },

  ExportProfilesServiceRequest: {
    resourceProfiles: many(1, 'ResourceProfiles'),
    dictionary: one(2, 'ProfilesDictionary'),
  },
  ResourceProfiles: {
    resource: one(1, 'Resource'),
    scopeProfiles: many(2, 'ScopeProfiles'),
    schemaUrl: scalar(3, 'string'),
  },
  ScopeProfiles: {
    scope: one(1, 'InstrumentationScope'),
    profiles: many(2, 'Profile'),
    schemaUrl: scalar(3, 'string'),
  },
  Profile: {
    sampleType: one(1, 'ValueType'),
    samples: many(2, 'Sample'),
    timeUnixNano: scalar(3, 'fixed64'),
    durationNano: scalar(4, 'uint64'),
    periodType: one(5, 'ValueType'),
    period: scalar(6, 'int64'),
    profileId: id(7),
    droppedAttributesCount: scalar(8, 'uint32'),
    originalPayloadFormat: scalar(9, 'string'),
    originalPayload: scalar(10, 'bytes'),
    attributeIndices: scalars(11, 'int32'),
  },
  ValueType: { typeStrindex: scalar(1, 'int32'), unitStrindex: scalar(2, 'int32') },
  Sample: {
    stackIndex: scalar(1, 'int32'),
    attributeIndices: scalars(2, 'int32'),
    linkIndex: scalar(3, 'int32'),
    values: scalars(4, 'int64'),
    timestampsUnixNano: scalars(5, 'fixed64'),
  },
  ProfilesDictionary: {
    mappingTable: many(1, 'Mapping'),
    locationTable: many(2, 'Location'),
    functionTable: many(3, 'Function'),
    linkTable: many(4, 'ProfileLink'),
    stringTable: scalars(5, 'string'),
    attributeTable: many(6, 'KeyValueAndUnit'),
    stackTable: many(7, 'Stack'),
  },
  Mapping: {
    memoryStart: scalar(1, 'uint64'),
    memoryLimit: scalar(2, 'uint64'),
    fileOffset: scalar(3, 'uint64'),
    filenameStrindex: scalar(4, 'int32'),
    attributeIndices: scalars(5, 'int32'),
  },
  Location: {
    mappingIndex: scalar(1, 'int32'),
    address: scalar(2, 'uint64'),
    lines: many(3, 'Line'),
    attributeIndices: scalars(4, 'int32'),
  },
  Line: { functionIndex: scalar(1, 'int32'), line: scalar(2, 'int64'), column: scalar(3, 'int64') },
  Function: {
    nameStrindex: scalar(1, 'int32'),
    systemNameStrindex: scalar(2, 'int32'),
    filenameStrindex: scalar(3, 'int32'),
    startLine: scalar(4, 'int64'),
  },
  ProfileLink: { traceId: id(1), spanId: id(2) },
  KeyValueAndUnit: { keyStrindex: scalar(1, 'int32'), value: one(2, 'AnyValue'), unitStrindex: scalar(3, 'int32') },
  Stack: { locationIndices: scalars(1, 'int32') },
}
