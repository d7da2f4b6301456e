import { expect, test } from 'vitest'
import { resolvePlain } from '../../src/config/scalar.ts'

// As go-yaml v3 reads plain scalars into an interface.
test.each<[string, unknown]>([
  ['', null],
  ['~', null],
  ['null', null],
  ['true', true],
  ['False', false],
  ['yes', 'yes'],
  ['on', 'on'],
  ['y', 'y'],
  ['123', 123],
  ['-7', -7],
  ['+7', 7],
  ['0123', 83],
  ['0o17', 15],
  ['089', 89],
  ['0xdeadbeef', 3_735_928_559],
  ['-0x10', -16],
  ['0b101', 5],
  ['1_000', 1000],
  ['1e3', 1000],
  ['1.5', 1.5],
  ['.5', 0.5],
  ['.inf', Infinity],
  ['-.Inf', -Infinity],
  ['1.2.3', '1.2.3'],
  ['10s', '10s'],
  ['0x', '0x'],
  ['-', '-'],
  ['2023-03-20T03:17:55.432328Z', '2023-03-20T03:17:55.432328Z'],
  ['1111:1111::', '1111:1111::'],
])('%j is %j', (text, value) => {
  expect(resolvePlain(text)).toStrictEqual(value)
})

test('.nan is not a number', () => {
  expect(resolvePlain('.nan')).toBeNaN()
})

test('more digits than 64 bits hold make a float', () => {
  expect(resolvePlain('9'.repeat(400))).toBe(Infinity)
})

test('an integer that a double cannot hold exactly is kept exactly', () => {
  expect(resolvePlain('9007199254740993')).toBe(9_007_199_254_740_993n)
})
