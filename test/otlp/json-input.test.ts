import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { arenas } from '../../src/otlp/arena.ts'
import { SIGNALS, type Signal } from '../../src/otlp/batch.ts'
import { toJson } from '../../src/otlp/json.ts'
import { fromJson } from '../../src/otlp/json-input.ts'
import { validate } from '../../src/otlp/validate.ts'
import { WireError } from '../../src/otlp/wire-error.ts'
import { arbitraryRequest } from './support/arbitraries.ts'
import { readProtobufEs } from './support/oracles.ts'
import { unusual } from './support/unusual.ts'
import { unusualJson } from './support/unusual-json.ts'

vi.setConfig({ testTimeout: 180_000 })

const RUNS = 1000
const LIMIT = 1 << 24

function read(signal: Signal, json: string | Uint8Array): Uint8Array {
  const bytes = fromJson(signal, typeof json === 'string' ? Buffer.from(json) : json, { limit: LIMIT })
  const copy = Uint8Array.from(bytes)
  arenas.release(bytes)
  return copy
}

describe.each(SIGNALS)('%s', (signal) => {
  test('what was written as JSON reads as what it was, however it is spelled', () => {
    const held = arenas.held
    fc.assert(
      fc.property(arbitraryRequest(signal), ({ bytes, random }) => {
        const expected = readProtobufEs(signal, bytes)
        const json = toJson(signal, [unusual(signal, bytes, random)])
        for (const document of [json, unusualJson(signal, json, random)]) {
          const proto = read(signal, document)
          validate(signal, proto)
          const actual = readProtobufEs(signal, proto)
          if (!isDeepStrictEqual(actual, expected)) expect(actual).toStrictEqual(expected)
        }
      }),
      { numRuns: RUNS },
    )
    expect(arenas.held).toBe(held)
  })
})

/** The span, log record or data point in a document of one. */
function record(signal: Signal, fields: string): Record<string, unknown> {
  const [list, scopes, records] = {
    traces: ['resourceSpans', 'scopeSpans', 'spans'],
    metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
    logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
    profiles: ['resourceProfiles', 'scopeProfiles', 'profiles'],
  }[signal] as [string, string, string]
  const proto = read(signal, `{"${list}":[{"${scopes}":[{"${records}":[${fields}]}]}]}`)
  validate(signal, proto)
  const top = readProtobufEs(signal, proto) as Record<string, Record<string, Record<string, unknown[]>[]>[]>
  return top[list]![0]![scopes]![0]![records]![0] as Record<string, unknown>
}

const log = (body: string): unknown => record('logs', `{"body":${body}}`)['body']

test.each([
  // 64 bits, as a string and as a number, keep all their digits.
  ['{"intValue":"9223372036854775807"}', 9223372036854775807n],
  ['{"intValue":9223372036854775807}', 9223372036854775807n],
  ['{"intValue":-9223372036854775808}', -9223372036854775808n],
  ['{"intValue":9007199254740993}', 9007199254740993n],
  ['{"intValue":"-9007199254740993"}', -9007199254740993n],
  ['{"intValue":12345678901}', 12345678901n],
  ['{"intValue":123456789012}', 123456789012n],
  ['{"intValue":99999999999}', 99999999999n],
  ['{"intValue":100000000000}', 100000000000n],
  ['{"intValue":-0}', 0n],
  ['{"intValue":1e3}', 1000n],
  ['{"intValue":"1.5e1"}', 15n],
  ['{"intValue":-2.50E+2}', -250n],
  ['{"intValue":1.0}', 1n],
  ['{"intValue":0.0e999}', 0n],
  ['{"intValue":900000000000000000.0e1}', 9000000000000000000n],
  ['{"intValue":"+007"}', 7n],
  ['{"intValue":"\\u0034\\u0032"}', 42n],
  ['{"int_value":"5"}', 5n],
] as const)('%s is an integer with all its digits', (json, expected) => {
  expect(log(json)).toEqual({ intValue: expected })
})

test.each([
  ['0.1', 0.1],
  ['-0', -0],
  ['-0.0e-5', -0],
  ['1e21', 1e21],
  ['1.7976931348623157e308', Number.MAX_VALUE],
  ['5e-324', Number.MIN_VALUE],
  ['123456789012345.6', 123456789012345.6],
  ['0.30000000000000004', 0.30000000000000004],
  ['9007199254740993', 9007199254740992],
  ['1E2', 100],
  ['"NaN"', NaN],
  ['"Infinity"', Infinity],
  ['"-Infinity"', -Infinity],
  ['"1.5"', 1.5],
  ['"\\u0031.5"', 1.5],
] as const)('the double %s', (json, expected) => {
  expect(log(`{"doubleValue":${json}}`)).toEqual({ doubleValue: expected })
})

test.each([
  ['"//79"', [255, 254, 253]],
  ['"__79"', [255, 254, 253]],
  ['"\\/\\/79"', [255, 254, 253]],
  ['"/w=="', [255]],
  ['"/w"', [255]],
  ['"//4="', [255, 254]],
  ['""', []],
] as const)('the bytes %s', (json, expected) => {
  expect(log(`{"bytesValue":${json}}`)).toEqual({ bytesValue: Uint8Array.from(expected) })
})

test.each([
  ['"a\\"\\\\\\/\\b\\f\\n\\r\\tz"', 'a"\\/\b\f\n\r\tz'],
  ['"\\u00e9\\u20ac\\ud83d\\udc1f"', '\u00e9\u20ac\ud83d\udc1f'],
  ['"\\ud83d"', '\ufffd'],
  ['"\\udc1fx\\ud83d\\ud83d\\udc1f"', '\ufffdx\ufffd\ud83d\udc1f'],
  ['"caf\u00e9 \ud83d\udc1f"', 'caf\u00e9 \ud83d\udc1f'],
  // RFC 8259 forbids them raw; the Collector takes them where an escape came before.
  ['"a\\\\\tb\u0001"', 'a\\\tb\u0001'],
  [`"${'x'.repeat(5000)}"`, 'x'.repeat(5000)],
] as const)('the string %s', (json, expected) => {
  expect(log(`{"stringValue":${json}}`)).toEqual({ stringValue: expected })
})

test('ids are hexadecimal of either case, or empty', () => {
  const span = record(
    'traces',
    '{"traceId":"00112233445566778899AAbbccDDeeFF","span_id":"0123456789abcdef","parentSpanId":""}',
  )
  expect(span).toEqual({
    traceId: Uint8Array.from({ length: 16 }, (_, i) => i * 17),
    spanId: Uint8Array.of(0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef),
  })
})

test('enums are numbers, also unknown ones, or names', () => {
  expect(record('traces', '{"kind":"SPAN_KIND_SERVER","status":{"code":"STATUS_CODE_ERROR"}}')).toEqual({
    kind: 2,
    status: { code: 2 },
  })
  expect(record('logs', '{"severityNumber":"SEVERITY_NUMBER_WARN3"}')).toEqual({ severityNumber: 15 })
  expect(record('logs', '{"severityNumber":-3}')).toEqual({ severityNumber: -3 })
})

test('keys that the schema does not have are skipped with all that is under them', () => {
  const unknown = `"later":{"a":[1,-2.5e3,"\\"}]",{"b":null},true,false,[],{}]},"":1,"toString":2,"resource":null`
  expect(record('logs', `{${unknown},"severityText":"x",${unknown}}`)).toEqual({ severityText: 'x' })
})

test('null is absence, in a list an element without content', () => {
  expect(record('logs', '{"traceId":null,"timeUnixNano":null,"body":null,"attributes":null,"flags":null}')).toEqual({})
  expect(record('logs', '{"attributes":[null,{"key":null,"value":null}]}')).toEqual({ attributes: [{}, {}] })
  expect(log('{"stringValue":null}')).toEqual({})
  expect(read('logs', ' null ')).toHaveLength(0)
})

test('of a key that comes twice the last counts; lists are joined, messages merged, a oneof replaced', () => {
  expect(
    record(
      'traces',
      '{"name":"a","status":{"code":2},"attributes":[{"key":"a"}],"name":"b","kind":3,"kind":0,"status":{"message":"m"},"attributes":[{"key":"b"}]}',
    ),
  ).toEqual({ name: 'b', status: { code: 2, message: 'm' }, attributes: [{ key: 'a' }, { key: 'b' }] })
  expect(
    record(
      'traces',
      '{"name":"a","flags":1,"kind":2,"startTimeUnixNano":5,"traceState":"t","name":null,"flags":null,"kind":null,"startTimeUnixNano":null}',
    ),
  ).toEqual({ traceState: 't' })
  expect(log('{"arrayValue":{"values":[{}]},"arrayValue":{}}')).toEqual({ arrayValue: {} })
  expect(log('{"kvlistValue":{"values":[{"key":"k"}]},"other":1,"boolValue":false}')).toEqual({ boolValue: false })
})

const at = 'resourceLogs[0].scopeLogs[1].logRecords[2]'
const inside = (fields: string): string => `{"resourceLogs":[{"scopeLogs":[{},{"logRecords":[{},{},{${fields}}]}]}]}`

test.each([
  ['', 0, 'expected an object, got the end of the document'],
  ['[]', 0, 'expected an object, got a list'],
  ['{} {}', 3, 'expected the end of the document, got an object'],
  ['{"resourceLogs":[{}', 19, 'resourceLogs[0]: expected "," or "]", got the end of the document'],
  ['{"resourceLogs":[{},]}', 20, 'resourceLogs[1]: expected an object, got ]'],
  ['{"resourceLogs":[,{}]}', 17, 'resourceLogs[0]: expected an object, got ,'],
  ['{"resourceLogs":]{}', 16, 'resourceLogs: expected a list, got ]'],
  ['{"resourceLogs":{}}', 16, 'resourceLogs: expected a list, got an object'],
  ['{"a":1,}', 7, 'expected a key, got }'],
  ['{"a" 1}', 5, 'expected ":", got 1'],
  ['{"a":01}', 5, 'expected a value, got 01'],
  ['{"a":tru}', 5, 'expected a value, got tru'],
  ['{"a', 1, 'expected the end of a string, got the end of the document'],
  [inside('"traceId":"abc"'), 66, `${at}.traceId: expected 32 hexadecimal digits, got 3 characters`],
  [inside('"spanId":"0123456789abcdeg"'), 65, `${at}.spanId: expected 16 hexadecimal digits, got "0123456789abcdeg"`],
  [inside('"spanId":12'), 65, `${at}.spanId: expected an id as a string, got 12`],
  [inside('"severityText":5'), 71, `${at}.severityText: expected a string, got 5`],
  [inside('"severityText":"\\x"'), 72, `${at}.severityText: expected an escape, got "\\x"`],
  [
    inside('"severityNumber":"LOUD"'),
    73,
    `${at}.severityNumber: expected a number or a name such as SEVERITY_NUMBER_UNSPECIFIED, got "LOUD"`,
  ],
  [inside('"severityNumber":2147483648'), 73, `${at}.severityNumber: expected an integer of 32 bits, got 2147483648`],
  [inside('"timeUnixNano":-1'), 71, `${at}.timeUnixNano: expected an integer from 0 to 18446744073709551615, got -1`],
  [
    inside('"timeUnixNano":"18446744073709551616"'),
    71,
    `${at}.timeUnixNano: expected an integer from 0 to 18446744073709551615, got "18446744073709551616"`,
  ],
  [inside('"timeUnixNano":1.5'), 71, `${at}.timeUnixNano: expected an integer from 0 to 18446744073709551615, got 1.5`],
  [
    inside('"timeUnixNano":1e99999'),
    71,
    `${at}.timeUnixNano: expected an integer from 0 to 18446744073709551615, got 1e99999`,
  ],
  [inside('"flags":4294967296'), 64, `${at}.flags: expected an integer from 0 to 4294967295, got 4294967296`],
  [
    inside('"body":{"intValue":9223372036854775808}'),
    75,
    `${at}.body.intValue: expected an integer of 64 bits, got 9223372036854775808`,
  ],
  [
    inside('"body":{"doubleValue":1e999}'),
    78,
    `${at}.body.doubleValue: expected a number that a double holds, got 1e999`,
  ],
  [
    inside('"body":{"doubleValue":"much"}'),
    78,
    `${at}.body.doubleValue: expected a number, "NaN", "Infinity" or "-Infinity", got "much"`,
  ],
  [inside('"body":{"boolValue":1}'), 76, `${at}.body.boolValue: expected true or false, got 1`],
  [inside('"body":{"bytesValue":"a"}'), 77, `${at}.body.bytesValue: expected base64, got "a"`],
  [inside('"body":{"bytesValue":"ab!d"}'), 77, `${at}.body.bytesValue: expected base64, got "ab!d"`],
])('%s is refused with its place', (json, offset, reason) => {
  const held = arenas.held
  let thrown: unknown
  try {
    read('logs', json)
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(WireError)
  expect((thrown as WireError).reason).toBe(reason)
  expect((thrown as WireError).offset).toBe(offset)
  expect(arenas.held).toBe(held)
})

test('nesting ends where it does for protobuf, and under unknown keys at 100', () => {
  const value = (depth: number): string => (depth === 0 ? '{}' : `{"arrayValue":{"values":[${value(depth - 1)}]}}`)
  // Request, resource, scope, record and the outermost value: 5 messages; every list in it is 2 more.
  expect(() => log(value(29))).not.toThrow()
  expect(() => log(value(30))).toThrow(/nested more than 64 deep$/)
  expect(() => read('logs', `{"x":${'['.repeat(100)}${']'.repeat(100)}}`)).not.toThrow()
  expect(() => read('logs', `{"x":${'['.repeat(101)}${']'.repeat(101)}}`)).toThrow(/nested more than 100 deep$/)
  expect(() => read('logs', `{"x":${'[{"a":'.repeat(1e6)}`)).toThrow(/nested more than 100 deep$/)
})

test('what is much shorter as protobuf does not keep the memory that it was read into', () => {
  const text = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${' '.repeat(200_000)}{"severityText":"${'x'.repeat(20_000)}"}]}]}]}`
  const held = arenas.held
  let booked = 0
  const reserve = (bytes: number): boolean => {
    booked += bytes
    return true
  }
  const bytes = fromJson('logs', Buffer.from(text), { limit: LIMIT, reserve })
  expect(validate('logs', bytes)).toBe(1)
  // Four size classes a doubling: a quarter more at most.
  expect(bytes.buffer.byteLength).toBeLessThanOrEqual(bytes.length * 1.25)
  // Five eighths of the text at first, then what it came to.
  expect(booked).toBe(((text.length * 5) >> 3) + bytes.length)
  arenas.release(bytes)
  expect(arenas.held).toBe(held)
})

test('what would grow past the limit is refused', () => {
  // Each `0,` becomes 8 bytes.
  const points = `{"bucketCounts":[${'0,'.repeat(999)}0]}`
  const json = Buffer.from(
    `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":{"dataPoints":[${points}]}}]}]}]}`,
  )
  const bytes = fromJson('metrics', json, { limit: 9000 })
  expect(validate('metrics', bytes)).toBe(1)
  arenas.release(bytes)
  const held = arenas.held
  expect(() => fromJson('metrics', json, { limit: 8000 })).toThrow(/larger than a request may be/)
  expect(arenas.held).toBe(held)
})
