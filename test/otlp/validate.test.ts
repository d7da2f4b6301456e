import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SIGNALS } from '../../src/otlp/batch.ts'
import { countItems } from '../../src/otlp/count.ts'
import { Writer } from '../../src/otlp/encode.ts'
import { MAX_NESTING, validate } from '../../src/otlp/validate.ts'
import { WireError } from '../../src/otlp/wire-error.ts'
import { arbitraryRequest } from './support/arbitraries.ts'
import { unusual } from './support/unusual.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

/** The content of a span, in a request with one resource and one scope around it. */
function spanRequest(span: Uint8Array): Uint8Array {
  const writer = new Writer()
  const marks = [writer.begin(1), writer.begin(2), writer.begin(2)]
  writer.raw(span)
  for (const mark of marks.reverse()) writer.end(mark)
  return writer.finish()
}

function refusal(bytes: Uint8Array): WireError {
  try {
    validate('traces', bytes)
  } catch (error) {
    if (error instanceof WireError) return error
    throw error
  }
  throw new Error('accepted')
}

test.each(SIGNALS)(
  '%s: valid requests pass and their items are counted, unusual ones too',
  (signal) => {
    const items = { traces: 'spans', metrics: 'dataPoints', logs: 'logRecords', profiles: 'samples' }[signal]
    /** Elements of the lists called `items`, wherever they are. */
    const count = (value: unknown, name = ''): number => {
      if (Array.isArray(value)) return name === items ? value.length : value.reduce((sum, v) => sum + count(v), 0)
      if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 0
      return Object.entries(value).reduce((sum, [key, child]) => sum + count(child, key), 0)
    }
    fc.assert(
      fc.property(arbitraryRequest(signal), ({ object, bytes, random }) => {
        const expected = count(object)
        expect(validate(signal, bytes)).toBe(expected)
        expect(countItems(signal, bytes)).toBe(expected)
        // Metrics whose data is overridden by another member of the oneof have items that count for nothing; elsewhere all do.
        const strange = unusual(signal, bytes, random)
        expect(validate(signal, strange)).toBeGreaterThanOrEqual(expected)
      }),
      { numRuns: 10_000 },
    )
  },
  300_000,
)

describe('malformed bytes are refused with the offset of what is wrong', () => {
  test.each([
    ['a tag without a value', '0a', 1, 'the bytes end inside a varint'],
    ['a length past the end', '0a 05 12 00', 0, 'a length of 5 goes past the end of what holds it'],
    ['a length past the end of the message around it', '0a 02 12 05 00 00 00', 2, 'a length of 5 goes past'],
    ['field number 0', '02 00', 0, 'a tag is out of range'],
    ['a tag past 32 bits', '8a 80 80 80 10 00', 0, 'a tag is out of range'],
    ['a tag of six bytes', '8a 80 80 80 80 00 00', 0, 'a tag is out of range'],
    ['a varint of eleven bytes', '50 ff ff ff ff ff ff ff ff ff ff 01', 1, 'longer than 64 bits'],
    ['a varint past 64 bits', '50 ff ff ff ff ff ff ff ff ff 02', 1, 'longer than 64 bits'],
    ['a length of 2^63', '0a 80 80 80 80 80 80 80 80 80 01', 1, 'a length of 9223372036854776000 goes past the end'],
    ['a group', '53 54', 1, 'wire type 3 is not one that OTLP uses'],
    ['wire type 7', '57', 1, 'wire type 7 is not one that OTLP uses'],
    ['the resources as a varint', '08 01', 0, 'field 1 does not have wire type 0'],
    ['an unknown 64-bit value that is cut', '51 00 00', 1, 'the bytes end inside a 64-bit value'],
    ['an unknown 32-bit value that is cut', '55 00 00', 1, 'the bytes end inside a 32-bit value'],
  ])('%s', (_, bytes, offset, reason) => {
    const error = refusal(hex(bytes))
    expect(error.reason).toContain(reason)
    expect(error.offset).toBe(offset)
    expect(error.code).toBe('WIRE_MALFORMED')
  })

  // Offsets in a span begin at 6: three tags and three lengths of one byte.
  test.each([
    ['a start time that is cut', '39 00 00', 6, 'the bytes end inside a 64-bit value'],
    ['flags that are cut', '85 01 00', 6, 'the bytes end inside a 32-bit value'],
    ['a kind that never ends', '30 80', 7, 'the bytes end inside a varint'],
    ['a name as a number', '28 01', 6, 'field 5 does not have wire type 0'],
    ['an attribute whose key is cut', '4a 03 0a 05 61', 8, 'a length of 5 goes past'],
    ['an attribute whose value is a group', '4a 04 12 02 2b 2c', 10, 'field 5 does not have wire type 3'],
    ['a bool of eleven bytes', '4a 0e 12 0c 10 80 80 80 80 80 80 80 80 80 80 00', 11, 'longer than 64 bits'],
    ['a double that is cut', '4a 04 12 02 21 00', 10, 'the bytes end inside a 64-bit value'],
    ['a status code as bytes', '7a 02 1a 00', 8, 'field 3 does not have wire type 2'],
  ])('in a span: %s', (_, span, offset, reason) => {
    const error = refusal(spanRequest(hex(span)))
    expect(error.reason).toContain(reason)
    expect(error.offset).toBe(offset)
  })

  test('packed values that are cut', () => {
    const writer = new Writer()
    const marks = [1, 2, 2, 9, 1].map((field) => writer.begin(field))
    writer.bytes(6, new Uint8Array(12))
    for (const mark of marks.reverse()) writer.end(mark)
    expect(() => validate('metrics', writer.finish())).toThrow('packed values end inside one of them')
  })
})

describe('what is valid though unusual passes', () => {
  test.each([
    ['nothing at all', ''],
    ['a resource without content', '0a 00'],
    ['unknown fields of every wire type', '50 01 51 0000000000000000 52 01 ff 55 00000000'],
    ['the highest field number', 'fa ff ff ff 0f 00'],
    ['a length in ten bytes', '0a 80 80 80 80 80 80 80 80 80 00'],
    ['a varint of all 64 bits', '50 ff ff ff ff ff ff ff ff ff 01'],
  ])('%s', (_, bytes) => {
    expect(validate('traces', hex(bytes))).toBe(0)
  })

  test('invalid UTF-8 in a name', () => {
    expect(validate('traces', spanRequest(hex('2a 02 c3 28')))).toBe(1)
  })
})

/** A span with an attribute of arrays in each other; each adds two messages, its AnyValue and its ArrayValue. */
function nested(arrays: number): Uint8Array {
  const writer = new Writer()
  const marks = [writer.begin(9), writer.begin(2)]
  for (let i = 0; i < arrays; i++) marks.push(writer.begin(5), writer.begin(1))
  for (const mark of marks.reverse()) writer.end(mark)
  return spanRequest(writer.finish())
}

test('messages nest 64 deep and no deeper', () => {
  // Request, ResourceSpans, ScopeSpans, Span, KeyValue, AnyValue: 6. Then two for each array.
  const deepest = (MAX_NESTING - 6) / 2
  expect(validate('traces', nested(deepest))).toBe(1)
  expect(refusal(nested(deepest + 1)).reason).toBe('messages are nested more than 64 deep')
})
