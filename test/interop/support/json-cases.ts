/** OTLP/JSON as writers of many kinds produce it: what one reader takes, another has to take for the same. */
import type { Stable } from '../../support/otlp-services.ts'

const ID = '"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"'

const span = (fields: string): string => `{"resourceSpans":[{"scopeSpans":[{"spans":[{${fields}}]}]}]}`
const value = (json: string): string => span(`${ID},"attributes":[{"key":"a","value":${json}}]`)
const metric = (fields: string): string =>
  `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m",${fields}}]}]}]}`
const point = (fields: string): string => metric(`"gauge":{"dataPoints":[{${fields}}]}`)
const histogram = (fields: string): string => metric(`"histogram":{"dataPoints":[{${fields}}]}`)
const record = (fields: string): string => `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{${fields}}]}]}]}`

const each = (prefix: string, make: (json: string) => string, texts: readonly string[]): Record<string, string> =>
  Object.fromEntries(texts.map((text) => [`${prefix} ${text}`, make(text)]))

const INTEGERS = ['0', '"0"', '-1', '"-1"', '9007199254740993', '"9007199254740993"', '9223372036854775807']
const MORE_INTEGERS = [
  '"9223372036854775808"',
  '-9223372036854775808',
  '1.0',
  '"1.0"',
  '1e3',
  '"1e3"',
  '1.5',
  '" 1"',
  '""',
  'true',
  'null',
  '"0x10"',
  '"+1"',
  '01',
]
const TIMES = [
  '0',
  '"0"',
  '1760000000123456789',
  '"1760000000123456789"',
  '18446744073709551615',
  '"18446744073709551615"',
  '-1',
  '"-1"',
  '1.76e18',
  '"now"',
  'null',
]
const DOUBLES = [
  '0',
  '-0',
  '1',
  '0.1',
  '"0.1"',
  '1e400',
  '"NaN"',
  '"Infinity"',
  '"-Infinity"',
  '"nan"',
  '"inf"',
  'NaN',
  '1e-400',
  '5e-324',
  '""',
  'null',
  '"1e3"',
  '123456789012345678901234567890',
]
const TEXTS = [
  '""',
  '"x"',
  '"\\u00fc\\ud83d\\ude80"',
  '"\\ud83d"',
  '"a\\/b\\n\\t\\"\\\\"',
  '1',
  'null',
  'true',
  '"\\x"',
  '"\t"',
]
const BYTES = ['""', '"AP+A"', '"AP-A"', '"AP8="', '"AP8"', '"!"', 'null', '1']
const IDS = [
  '""',
  '"0AF7651916CD43DD8448EB211C80319C"',
  '"0af7651916cd43dd8448eb211c80319c"',
  'null',
  '1',
  '"CvdlGRbNQ92ESOshHIAxnA=="',
  '"00000000000000000000000000000000"',
]
const KINDS = [
  '0',
  '2',
  '"2"',
  '"SPAN_KIND_SERVER"',
  '"SERVER"',
  '"span_kind_server"',
  '99',
  '-1',
  '1.5',
  'null',
  '"SPAN_KIND_NOPE"',
]

export const JSON_CASES: Readonly<Record<Stable, Readonly<Record<string, string>>>> = {
  traces: {
    ...each('intValue', (text) => value(`{"intValue":${text}}`), [...INTEGERS, ...MORE_INTEGERS]),
    ...each('doubleValue', (text) => value(`{"doubleValue":${text}}`), DOUBLES),
    ...each('stringValue', (text) => value(`{"stringValue":${text}}`), TEXTS),
    ...each('bytesValue', (text) => value(`{"bytesValue":${text}}`), BYTES),
    ...each('boolValue', (text) => value(`{"boolValue":${text}}`), ['true', 'false', '"true"', '1', 'null']),
    ...each('a value', value, [
      '{}',
      'null',
      '{"arrayValue":{}}',
      '{"arrayValue":{"values":[]}}',
      '{"arrayValue":{"values":[{"intValue":1},{}]}}',
      '{"kvlistValue":{"values":[{"key":"k"}]}}',
      '{"stringValue":"a","intValue":1}',
      '{"unknownValue":1}',
    ]),
    ...each('traceId', (text) => span(`"spanId":"b7ad6b7169203331","traceId":${text}`), IDS),
    ...each('kind', (text) => span(`${ID},"kind":${text}`), KINDS),
    ...each('startTimeUnixNano', (text) => span(`${ID},"startTimeUnixNano":${text}`), TIMES),
    ...each('flags', (text) => span(`${ID},"flags":${text}`), [
      '0',
      '257',
      '"257"',
      '4294967295',
      '4294967296',
      '-1',
      '1.5',
      'null',
    ]),
    ...each('status', (text) => span(`${ID},"status":${text}`), [
      '{}',
      'null',
      '{"code":2}',
      '{"code":"STATUS_CODE_ERROR"}',
      '{"message":"x","code":"2"}',
      '[]',
    ]),
    ...each('attributes', (text) => span(`${ID},"attributes":${text}`), [
      '[]',
      'null',
      '{}',
      '[{}]',
      '[null]',
      '[{"key":"a"}]',
      '[{"key":"a","value":{"intValue":1},"extra":{"deep":[1,{"x":null}]}}]',
    ]),
    ...each('events', (text) => span(`${ID},"events":${text}`), [
      '[{"timeUnixNano":"5","name":"e"}]',
      '[{"time_unix_nano":5}]',
    ]),
    ...each('links', (text) => span(`${ID},"links":${text}`), [`[{${ID}}]`, '[{"traceId":""}]']),
    'names in snake case': span(
      '"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","start_time_unix_nano":"5"',
    ),
    'names in another case': span(`${ID},"Name":"x","KIND":2`),
    'a name twice': span(`${ID},"name":"a","name":"b"`),
    'attributes twice': span(`${ID},"attributes":[{"key":"a"}],"attributes":[{"key":"b"}]`),
    'an unknown name': span(`${ID},"nope":{"a":[1,2,{"b":null}],"c":"\\u0000"},"name":"x"`),
    'white space': span(`${ID} ,\n\t"name" : "x" `),
    'a comma too many': span(`${ID},"name":"x",`),
    'a comment': span(`${ID}/* x */`),
    'a byte order mark': `\ufeff${span(ID)}`,
    'an empty name': span(`${ID},"":1`),
    'resource and scope': `{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":{"stringValue":"b"}}],"droppedAttributesCount":2},"schemaUrl":"s","scopeSpans":[{"scope":{"name":"n","version":"v","attributes":[],"droppedAttributesCount":"3"},"schemaUrl":"t","spans":[{${ID}}]}]}]}`,
    'nothing: the name that was before scope': `{"resourceSpans":[{"instrumentationLibrarySpans":[{"spans":[{${ID}}]}]}]}`,
    'nothing: no spans': '{"resourceSpans":[{"scopeSpans":[{"spans":[]}]}]}',
  },
  metrics: {
    ...each('asInt', (text) => point(`"asInt":${text}`), INTEGERS),
    ...each('asDouble', (text) => point(`"asDouble":${text}`), DOUBLES),
    ...each('count', (text) => histogram(`"count":${text}`), ['0', '"3"', '3', '-1', '"18446744073709551615"']),
    ...each('bucketCounts', (text) => histogram(`"bucketCounts":${text}`), [
      '[]',
      '[1,"2",3]',
      'null',
      '["18446744073709551615"]',
      '[1.0]',
    ]),
    ...each('explicitBounds', (text) => histogram(`"explicitBounds":${text}`), [
      '[]',
      '[1,2.5]',
      '["Infinity"]',
      'null',
    ]),
    ...each('sum', (text) => histogram(`"sum":${text}`), ['0', '1.5', 'null', '"NaN"']),
    ...each(
      'aggregationTemporality',
      (text) => metric(`"sum":{"aggregationTemporality":${text},"isMonotonic":true,"dataPoints":[{"asInt":1}]}`),
      ['1', '"2"', '"AGGREGATION_TEMPORALITY_DELTA"', '7', 'null'],
    ),
    ...each(
      'scale',
      (text) =>
        metric(
          `"exponentialHistogram":{"dataPoints":[{"scale":${text},"zeroThreshold":0.5,"positive":{"offset":-3,"bucketCounts":["1",2]},"negative":{}}]}`,
        ),
      ['-3', '"-3"', '2147483647', '2147483648', '1.5', 'null'],
    ),
    'a summary': metric(
      '"summary":{"dataPoints":[{"count":"2","sum":3,"quantileValues":[{"quantile":0.5,"value":"NaN"},{}]}]}',
    ),
    exemplars: point(
      '"asInt":1,"exemplars":[{"timeUnixNano":"1","asDouble":2,"traceId":"0af7651916cd43dd8448eb211c80319c","filteredAttributes":[{"key":"a"}]}]',
    ),
    'nothing: a gauge without points': metric('"gauge":{}'),
    metadata: metric('"metadata":[{"key":"a","value":{"boolValue":true}}],"gauge":{"dataPoints":[{"asInt":1}]}'),
    'two kinds of data': metric('"gauge":{"dataPoints":[{"asInt":1}]},"sum":{"dataPoints":[{"asInt":2}]}'),
    'two values': point('"asInt":1,"asDouble":2'),
  },
  logs: {
    ...each('body', (text) => record(`"body":${text}`), [
      '{"stringValue":"x"}',
      '{}',
      'null',
      '{"kvlistValue":{"values":[{"key":"a","value":{"arrayValue":{"values":[{"bytesValue":"AP+A"}]}}}]}}',
      '"x"',
    ]),
    ...each('severityNumber', (text) => record(`"severityNumber":${text}`), [
      '17',
      '"17"',
      '"SEVERITY_NUMBER_ERROR"',
      '99',
      'null',
    ]),
    ...each('traceId', (text) => record(`"traceId":${text}`), IDS),
    everything: record(
      `"timeUnixNano":"1","observedTimeUnixNano":2,"severityText":"E","droppedAttributesCount":1,"flags":1,${ID},"eventName":"e"`,
    ),
  },
}
