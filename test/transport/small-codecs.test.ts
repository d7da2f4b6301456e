import fc from 'fast-check'
import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import { parseGrpcTarget } from '../../src/transport/dial-target.ts'
import {
  decodeExportResponse,
  decodeJsonExportResponse,
  encodeExportResponse,
} from '../../src/transport/export-response.ts'
import { formatGrpcTimeout, parseGrpcTimeout } from '../../src/transport/grpc-timeout.ts'
import { formatRetryAfter, httpStatusOf, parseRetryAfter } from '../../src/transport/http-status.ts'
import { parseListenAddress } from '../../src/transport/listen-address.ts'
import { visitFields } from '../../src/transport/protobuf-fields.ts'
import {
  decodeGrpcMessage,
  decodeStatus,
  encodeGrpcMessage,
  encodeStatus,
  readTrailers,
  statusTrailers,
} from '../../src/transport/rpc-status.ts'

const root = protobuf.parse(`
  syntax = "proto3";
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }
  message RetryInfo { Duration retry_delay = 1; }
  message Partial { int64 rejected = 1; string error_message = 2; }
  message Response { Partial partial_success = 1; }
`).root

function decodeAs(type: string, bytes: Uint8Array): Record<string, unknown> {
  const message = root.lookupType(type)
  return message.toObject(message.decode(bytes), { longs: Number, bytes: Array, defaults: false })
}

function encodeAs(type: string, value: object): Uint8Array {
  const message = root.lookupType(type)
  return message.encode(message.fromObject(value)).finish()
}

const status = fc.record(
  {
    code: fc.integer({ min: 0, max: 200 }),
    message: fc.string({ unit: 'binary' }),
    retryAfterMs: fc.integer({ min: 0, max: 1e9 }),
  },
  { requiredKeys: ['code', 'message'] },
)

describe('google.rpc.Status', () => {
  test('is what protobufjs reads', () => {
    fc.assert(
      fc.property(status, ({ code, message, retryAfterMs }) => {
        const seen = decodeAs(
          'Status',
          encodeStatus({ code, message, ...(retryAfterMs !== undefined && { retryAfterMs }) }),
        )
        expect([seen['code'] ?? 0, seen['message'] ?? '']).toEqual([code, message])
        const [detail] = (seen['details'] ?? []) as { typeUrl: string; value?: number[] }[]
        expect(detail === undefined).toBe(retryAfterMs === undefined)
        if (detail === undefined) return
        expect(detail.typeUrl).toBe('type.googleapis.com/google.rpc.RetryInfo')
        const delay = decodeAs('RetryInfo', Uint8Array.from(detail.value ?? []))['retryDelay'] as Record<string, number>
        expect((delay['seconds'] ?? 0) * 1000 + (delay['nanos'] ?? 0) / 1e6).toBe(retryAfterMs)
      }),
    )
  })

  test('is read from what protobufjs writes, other details and fields included', () => {
    const retry = encodeAs('RetryInfo', { retryDelay: { seconds: 2, nanos: 500_000_000 } })
    const bytes = encodeAs('Status', {
      code: 14,
      message: 'später',
      details: [
        { typeUrl: 'type.googleapis.com/google.rpc.DebugInfo', value: Uint8Array.of(1, 2, 3) },
        { typeUrl: 'type.googleapis.com/google.rpc.RetryInfo', value: retry },
      ],
    })
    const unknownFields = [0x45, 1, 2, 3, 4, 0x49, 1, 2, 3, 4, 5, 6, 7, 8]
    expect(decodeStatus(Uint8Array.from([...bytes, ...unknownFields]))).toEqual({
      code: 14,
      message: 'später',
      retryAfterMs: 2500,
    })
  })

  test('survives trailers', () => {
    fc.assert(
      fc.property(status, (given) => {
        const { message, ...rest } = given
        // A lone surrogate has no UTF-8.
        const text = message.toWellFormed()
        expect(readTrailers(statusTrailers({ ...rest, message: text }))).toEqual({ ...rest, message: text })
      }),
    )
  })

  test('is not made of any bytes, and none throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const seen = decodeStatus(bytes)
        expect(seen === undefined || Number.isInteger(seen.code)).toBe(true)
        decodeExportResponse(bytes)
      }),
      { numRuns: 2000 },
    )
    expect(decodeStatus(Uint8Array.of(0x12, 0x05, 0x61))).toBeUndefined()
  })
})

test('grpc-message is printable ASCII and comes back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (given) => {
      const text = given.toWellFormed()
      const encoded = encodeGrpcMessage(text)
      expect(encoded).toMatch(/^[\x20-\x7e]*$/)
      expect(decodeGrpcMessage(encoded)).toBe(text)
    }),
  )
  expect(encodeGrpcMessage('50 % ü')).toBe('50 %25 %C3%BC')
  expect(decodeGrpcMessage('50% %zz %4')).toBe('50% %zz %4')
})

describe('varints', () => {
  test.each([
    [[0x00], 0],
    [[0xff, 0x7f], 16383],
    [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], Number.MAX_SAFE_INTEGER],
    [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], -1],
    [[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], -(2 ** 63)],
  ])('%j', (encoded, value) => {
    const seen: unknown[] = []
    expect(visitFields(Uint8Array.from([0x08, ...encoded]), (_field, each) => seen.push(each))).toBe(true)
    expect(seen).toEqual([value])
  })

  test.each([[[0x08]], [[0x08, ...Array<number>(10).fill(0x80), 0]], [[0x00, 0x00]], [[0x0b]], [[0x09, 1, 2]]])(
    'are missing, too long, or no field at all: %j',
    (bytes) => {
      expect(visitFields(Uint8Array.from(bytes), () => {})).toBe(false)
    },
  )
})

describe('Export responses', () => {
  test('are what protobufjs reads and writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), fc.string(), (rejected, message) => {
        const bytes = encodeExportResponse({ rejected, message })
        const partial = (decodeAs('Response', bytes)['partialSuccess'] ?? {}) as Record<string, unknown>
        expect([partial['rejected'] ?? 0, partial['errorMessage'] ?? '']).toEqual([rejected, message])
        const written = encodeAs('Response', { partialSuccess: { rejected, errorMessage: message } })
        expect(decodeExportResponse(written)).toEqual({ rejected, message })
      }),
    )
    expect(encodeExportResponse({ rejected: 0, message: '' })).toHaveLength(0)
  })

  test.each([
    ['{}', { rejected: 0, message: '' }],
    ['{"partialSuccess":{}}', { rejected: 0, message: '' }],
    ['{"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"x"}}', { rejected: 3, message: 'x' }],
    ['{"partialSuccess":{"rejectedDataPoints":2}}', { rejected: 2, message: '' }],
    ['[]', undefined],
    ['ok', undefined],
  ])('as JSON: %s', (text, expected) => {
    expect(decodeJsonExportResponse(text)).toEqual(expected)
  })
})

describe('grpc-timeout', () => {
  test.each([
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['10S', 10_000],
    ['99999999m', 99_999_999],
    ['1500u', 1.5],
    ['1000n', 0.001],
  ])('%s', (text, ms) => {
    expect(parseGrpcTimeout(text)).toBeCloseTo(ms, 9)
  })

  test.each(['', '5', 'S', '1.5S', '-1S', '123456789m', '5x', ' 5S'])('is malformed: "%s"', (text) => {
    expect(parseGrpcTimeout(text)).toBeUndefined()
  })

  test('is never shorter than what was asked for, and 8 digits at most', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 9e10, noNaN: true }), (ms) => {
        const text = formatGrpcTimeout(ms)
        expect(text).toMatch(/^\d{1,8}[umS]$/)
        // The rounding of the floating point numbers themselves.
        expect(parseGrpcTimeout(text)!).toBeGreaterThanOrEqual(ms * (1 - 1e-12))
      }),
    )
  })
})

test('Retry-After', () => {
  const now = Date.UTC(2025, 0, 1)
  expect(parseRetryAfter('120', now)).toBe(120_000)
  expect(parseRetryAfter(' 0 ', now)).toBe(0)
  expect(parseRetryAfter('Wed, 01 Jan 2025 00:00:30 GMT', now)).toBe(30_000)
  expect(parseRetryAfter('Tue, 31 Dec 2024 00:00:00 GMT', now)).toBe(0)
  for (const wrong of ['', 'soon', '1.5', '-1', '2025']) {
    expect(parseRetryAfter(wrong, now)).toBe(wrong === '2025' ? 2_025_000 : undefined)
  }
  expect([1, 999, 1000, 1001].map(formatRetryAfter)).toEqual(['1', '1', '1', '2'])
})

test("HTTP statuses follow the Collector's table", () => {
  const codes = Array.from({ length: 17 }, (_, code) => httpStatusOf(code))
  expect(codes).toEqual([500, 503, 500, 400, 503, 500, 500, 403, 429, 500, 503, 503, 404, 500, 503, 503, 401])
})

describe('addresses', () => {
  test.each([
    ['localhost:4317', 'tcp', { host: 'localhost', port: 4317 }],
    ['0.0.0.0:0', 'tcp', { host: '0.0.0.0', port: 0 }],
    ['[::1]:4317', 'tcp', { host: '::1', port: 4317 }],
    [':4317', 'tcp', { host: undefined, port: 4317 }],
    [':4317', 'tcp4', { host: '0.0.0.0', port: 4317, family: 4 }],
    [':4317', 'tcp6', { host: '::', port: 4317, family: 6 }],
    ['localhost:4317', 'tcp4', { host: 'localhost', port: 4317, family: 4 }],
    ['/run/otlp.sock', 'unix', { path: '/run/otlp.sock' }],
    ['unix:///run/otlp.sock', 'unix', { path: '/run/otlp.sock' }],
  ] as const)('to listen on: %s %s', (endpoint, transport, address) => {
    expect(parseListenAddress(endpoint, transport)).toEqual(address)
  })

  test.each(['localhost', 'localhost:x', 'localhost:70000', 'http://localhost:1', '::1:4317', ''])(
    'to listen on, wrong: "%s"',
    (endpoint) => {
      expect(parseListenAddress(endpoint, 'tcp')).toMatch(/^expected host:port with a port from 0 to 65535, got /)
    },
  )

  test.each([
    ['gateway:4317', ['name gateway 4317'], 'gateway:4317'],
    ['dns:4317', ['name dns 4317'], 'dns:4317'],
    ['http://gateway:4317', ['name gateway 4317'], 'gateway:4317'],
    ['https://gateway:443/', ['secure', 'name gateway 443'], 'gateway:443'],
    ['dns:///gateway:4317', ['name gateway 4317'], 'gateway:4317'],
    ['dns:gateway:4317', ['name gateway 4317'], 'gateway:4317'],
    ['10.0.0.1:4317', ['10.0.0.1 4317'], '10.0.0.1:4317'],
    ['dns:///[::1]:4317', ['::1 4317'], '[::1]:4317'],
    ['passthrough:///gateway:4317', ['gateway 4317'], 'gateway:4317'],
    ['passthrough:gateway:4317', ['gateway 4317'], 'gateway:4317'],
    ['ipv4:10.0.0.1:4317,10.0.0.2', ['10.0.0.1 4317', '10.0.0.2 443'], '10.0.0.1:4317'],
    ['ipv6:[::1]:4317,::2,[::3]', ['::1 4317', '::2 443', '::3 443'], '[::1]:4317'],
    ['unix:///run/otlp.sock', ['/run/otlp.sock'], 'localhost'],
    ['unix:otlp.sock', ['otlp.sock'], 'localhost'],
    ['unix-abstract:otlp', ['\0otlp'], 'localhost'],
  ])('to send to: %s', (endpoint, places, authority) => {
    const target = parseGrpcTarget(endpoint)
    if (typeof target === 'string') throw new Error(target)
    const seen = target.addresses.map((each) => ('path' in each ? each.path : `${each.host} ${each.port}`))
    if (target.name !== undefined) seen.unshift(`name ${target.name.host} ${target.name.port}`)
    if (target.secure) seen.unshift('secure')
    expect(seen).toEqual(places)
    expect(target.authority).toBe(authority)
  })

  test.each([
    '',
    'gateway',
    ':4317',
    'unix:',
    'unix://otlp.sock',
    'unix-abstract:',
    'ftp://gateway:1',
    'dns://8.8.8.8/gateway:4317',
    'dns:///gateway',
    'xds:///gateway:4317',
    'ipv4:gateway:4317',
    'ipv6:10.0.0.1:4317',
    'gateway:4317/v1/traces',
  ])('to send to, wrong: "%s"', (endpoint) => {
    expect(parseGrpcTarget(endpoint)).toMatch(/^expected /)
  })
})
