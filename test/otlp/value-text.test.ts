import { describe, expect, test } from 'vitest'
import type { PlainValue } from '../../src/otlp/cursors.ts'
import { parseFloat64, parseInt64, valueText } from '../../src/otlp/value-text.ts'

// Every expectation here was printed by Go: pdata v1.65.0 `Value.AsString`, strconv of Go 1.26.

describe('valueText', () => {
  test.each<[PlainValue, string]>([
    [undefined, ''],
    ['as it is', 'as it is'],
    [true, 'true'],
    [-9223372036854775808n, '-9223372036854775808'],
    [0, '0'],
    [-0, '-0'],
    [1, '1'],
    [-1.5, '-1.5'],
    [1e20, '100000000000000000000'],
    [1e21, '1e+21'],
    [1e-6, '0.000001'],
    [1.5e-9, '1.5e-9'],
    [Number.MAX_VALUE, '1.7976931348623157e+308'],
    [5e-324, '5e-324'],
    [NaN, 'NaN'],
    [Infinity, 'Infinity'],
    [-Infinity, '-Infinity'],
    [Uint8Array.of(0, 255, 128), 'AP+A'],
  ])('of %o is %j', (value, text) => expect(valueText(value)).toBe(text))

  test('of a list is JSON without HTML escapes', () => {
    const list = ['a"\\\n\t\b\f\u0001\u007f\u2028<>&é🐟', 1n, 1, 2.5, undefined, true, Uint8Array.of(1), [], {}]
    expect(valueText(list)).toBe('["a\\"\\\\\\n\\t\\b\\f\\u0001\u007f\\u2028<>&é🐟",1,1,2.5,null,true,"AQ==",[],{}]')
    expect(valueText([-0, 1e21, 1e-7])).toBe('[-0,1e+21,1e-7]')
  })

  test('of a map has its keys in the order of their bytes', () => {
    expect(valueText({ b: 1n, a: 'x', é: 1n, '\u{1f41f}': 2n, '\uffee': 3n, 7: 4n })).toBe(
      '{"7":4,"a":"x","b":1,"é":1,"\uffee":3,"\u{1f41f}":2}',
    )
  })

  test('of a list with a number that JSON lacks is empty', () => {
    expect(valueText([1n, NaN])).toBe('')
    expect(valueText({ a: [{ b: Infinity }] })).toBe('')
  })
})

test.each([
  ['+5', 5n],
  ['-0', 0n],
  ['007', 7n],
  ['-9223372036854775808', -9223372036854775808n],
  ['9223372036854775807', 9223372036854775807n],
  ['9223372036854775808', undefined],
  ['1_0', undefined],
  ['1.0', undefined],
  [' 1', undefined],
  ['1\n', undefined],
  ['0x10', undefined],
  ['', undefined],
  ['-', undefined],
  ['9'.repeat(100_000), undefined],
])('parseInt64 of %j is %o', (text, value) => expect(parseInt64(text)).toBe(value))

test.each([
  ['1.', 1],
  ['+.5', 0.5],
  ['-0', -0],
  ['1e-400', 0],
  ['1e400', undefined],
  ['+inf', Infinity],
  ['Infinity', Infinity],
  ['-INF', -Infinity],
  ['NaN', NaN],
  ['-nan', undefined],
  ['infin', undefined],
  ['1e', undefined],
  ['.', undefined],
  [' 1', undefined],
  ['', undefined],
  ['1_23.50_0e+0_2', 12350],
  ['1_.5', undefined],
  ['1._5', undefined],
  ['1__0', undefined],
  // Go reads this one; value-text.ts says that it does not.
  ['0x1p-2', undefined],
])('parseFloat64 of %j is %o', (text, value) => expect(parseFloat64(text)).toBe(value))
