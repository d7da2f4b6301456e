import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PlainValue } from '../../src/otlp/cursors.ts'
import { encodeInt, encodeValue, Writer } from '../../src/otlp/encode.ts'
import { PlainMessage } from '../../src/otlp/plain.ts'
import { plainObjectOf } from '../../src/otlp/plain-object.ts'
import { messageNamed } from '../../src/otlp/schema.ts'

function decoded(body: Uint8Array): unknown {
  return plainObjectOf(PlainMessage.read(messageNamed('AnyValue'), body))
}

test('a bigint is an int, a number a double, undefined the empty value', () => {
  expect(decoded(encodeValue(5n))).toEqual({ intValue: 5n })
  expect(decoded(encodeValue(-5n))).toEqual({ intValue: -5n })
  expect(decoded(encodeValue(5))).toEqual({ doubleValue: 5 })
  expect(decoded(encodeInt(5))).toEqual({ intValue: 5n })
  expect(encodeValue(undefined)).toEqual(new Uint8Array(0))
})

test('an int past 64 bits, or one with a fraction, throws', () => {
  expect(() => encodeValue(2n ** 63n)).toThrow(RangeError)
  expect(decoded(encodeValue(-(2n ** 63n)))).toEqual({ intValue: -(2n ** 63n) })
  expect(() => encodeInt(0.5)).toThrow(RangeError)
})

const { value } = fc.letrec<{ value: PlainValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constant(undefined),
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.double(),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
  ),
}))

/** The AnyValue that a plain value should become, written down a second time. */
function anyValueOf(plain: PlainValue): unknown {
  if (plain === undefined) return {}
  if (typeof plain === 'string') return { stringValue: plain }
  if (typeof plain === 'boolean') return { boolValue: plain }
  if (typeof plain === 'bigint') return { intValue: plain }
  if (typeof plain === 'number') return { doubleValue: plain }
  if (plain instanceof Uint8Array) return { bytesValue: plain }
  const values = Array.isArray(plain)
    ? plain.map(anyValueOf)
    : Object.entries(plain).map(([key, field]) => ({ key, value: anyValueOf(field as PlainValue) }))
  return { [Array.isArray(plain) ? 'arrayValue' : 'kvlistValue']: values.length > 0 ? { values } : {} }
}

test('any value is written as the AnyValue that it is', () => {
  fc.assert(
    fc.property(value, (plain) => {
      expect(decoded(encodeValue(plain))).toEqual(anyValueOf(plain))
    }),
    { numRuns: 10_000 },
  )
})

test('content that outgrows the buffer and one-byte lengths stays whole', () => {
  const writer = new Writer(16)
  for (const length of [0, 127, 128, 16_383, 16_384, 70_000]) {
    writer.reset()
    const outer = writer.begin(2)
    const inner = writer.begin(7)
    writer.raw(new Uint8Array(length).fill(7))
    writer.end(inner)
    writer.end(outer)
    const message = PlainMessage.read(messageNamed('KeyValue'), writer.finish())
    expect(plainObjectOf(message)).toEqual({ value: { bytesValue: new Uint8Array(length).fill(7) } })
  }
})
