import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { SIGNALS, type Signal } from '../../src/otlp/batch.ts'
import { Writer } from '../../src/otlp/encode.ts'
import { toJson } from '../../src/otlp/json.ts'
import { type MessageSchema, REQUESTS } from '../../src/otlp/schema.ts'
import { WireError } from '../../src/otlp/wire-error.ts'
import { arbitraryRequest, randomRequest } from './support/arbitraries.ts'
import { mutate } from './support/mutate.ts'
import { jsonProtobufEs } from './support/oracles.ts'
import { unusual } from './support/unusual.ts'

// Ten seconds a property where the machine is idle, and often it is not.
vi.setConfig({ testTimeout: 180_000 })

const RUNS = 10_000

type Json = Record<string, unknown>

function parsed(signal: Signal, chunks: readonly Uint8Array[]): unknown {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(toJson(signal, chunks)))
}

/** OTLP/JSON as proto3's JSON would have it: the ids in base64. */
function idsInBase64(schema: MessageSchema, json: unknown): Json {
  return Object.fromEntries(
    Object.entries(json as Json).map(([name, value]) => {
      const field = schema.byName.get(name)!
      const { message } = field
      if (field.hex) return [name, Buffer.from(value as string, 'hex').toString('base64')]
      if (!message) return [name, value]
      return [name, Array.isArray(value) ? value.map((v) => idsInBase64(message, v)) : idsInBase64(message, value)]
    }),
  )
}

function expectSame(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toStrictEqual(expected)
}

describe.each(SIGNALS)('%s', (signal) => {
  test('the JSON is the one of protobuf-es but for the ids, in any encoding', () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), ({ bytes, random }) => {
        const expected = jsonProtobufEs(signal, bytes)
        expectSame(idsInBase64(REQUESTS[signal], parsed(signal, [bytes])), expected)
        expectSame(idsInBase64(REQUESTS[signal], parsed(signal, [unusual(signal, bytes, random)])), expected)
      }),
      { numRuns: RUNS },
    )
  })

  test('several chunks are one document, that of their bytes end to end', () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), ({ bytes, random }) => {
        const other = unusual(signal, randomRequest(signal, random, 1).bytes, random)
        const list = {
          [REQUESTS[signal].fields[0]!.name]: [],
          ...(parsed(signal, [Buffer.concat([bytes, other])]) as Json),
        }
        expectSame(list, { [REQUESTS[signal].fields[0]!.name]: [], ...(parsed(signal, [bytes, other]) as Json) })
      }),
      { numRuns: RUNS },
    )
  })

  test('bytes with something wrong end in a WireError or in a document', () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), ({ bytes, random }) => {
        try {
          parsed(signal, [mutate(bytes, random)])
        } catch (error) {
          if (!(error instanceof WireError)) throw error
        }
      }),
      { numRuns: RUNS },
    )
  })
})

function log(write: (record: Writer) => void): string {
  const writer = new Writer()
  const marks = [1, 2, 2].map((field) => writer.begin(field))
  write(writer)
  for (const mark of marks.reverse()) writer.end(mark)
  const text = new TextDecoder().decode(toJson('logs', [writer.finish()]))
  return text.slice('{"resourceLogs":[{"scopeLogs":[{"logRecords":['.length, -']}]}]}'.length)
}

test('ids are hexadecimal, bytes base64, 64-bit integers strings, enums numbers', () => {
  const json = log((record) => {
    record.fixed64(1, 1_700_000_000_123_456_789n)
    record.uint(2, 17)
    const body = record.begin(5)
    record.anyValue({ n: -9_007_199_254_740_993n, b: Uint8Array.of(255, 254, 253), list: [true, 0.5, NaN, undefined] })
    record.end(body)
    record.bytes(
      9,
      Uint8Array.from({ length: 16 }, (_, i) => i * 17),
    )
  })
  expect(json).toBe(
    '{"timeUnixNano":"1700000000123456789","severityNumber":17,"body":{"kvlistValue":{"values":[' +
      '{"key":"n","value":{"intValue":"-9007199254740993"}},' +
      '{"key":"b","value":{"bytesValue":"//79"}},' +
      '{"key":"list","value":{"arrayValue":{"values":[{"boolValue":true},{"doubleValue":0.5},{"doubleValue":"NaN"},{}]}}}]}},' +
      '"traceId":"00112233445566778899aabbccddeeff"}',
  )
})

test('invalid UTF-8 becomes U+FFFD, control characters and quotes are escaped', () => {
  const bad = Uint8Array.of(0x61, 0xff, 0xe2, 0x82, 0x22, 0x01, 0x0a, 0xc3, 0xa9)
  expect(log((record) => record.bytes(3, bad))).toBe('{"severityText":"a\ufffd\ufffd\\"\\u0001\\n\u00e9"}')
})

test('no chunk, or chunks without content, are a document without records', () => {
  expect(parsed('traces', [])).toEqual({ resourceSpans: [] })
  expect(parsed('traces', [new Uint8Array(0)])).toEqual({})
})
