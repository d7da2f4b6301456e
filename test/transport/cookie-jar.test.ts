import { beforeEach, describe, expect, test } from 'vitest'
import { CookieJar } from '../../src/transport/cookie-jar.ts'

const at = (url: string): URL => new URL(url)
let now: number
let jar: CookieJar
beforeEach(() => {
  now = Date.UTC(2026, 0, 1)
  jar = new CookieJar(() => now)
})

const FROM = at('https://otlp.example.com/v1/traces')

describe('a cookie is sent back', () => {
  test.each<[string, string, string | undefined]>([
    ['lb=a', 'https://otlp.example.com/v1/traces', 'lb=a'],
    ['lb=a', 'https://otlp.example.com/v1', 'lb=a'],
    ['lb=a', 'https://otlp.example.com/v1/metrics', 'lb=a'],
    ['lb=a', 'https://otlp.example.com/v10/traces', undefined],
    ['lb=a', 'https://otlp.example.com/', undefined],
    ['lb=a; Path=/', 'http://otlp.example.com/anything', 'lb=a'],
    ['lb=a; Path=/; Secure', 'http://otlp.example.com/', undefined],
    ['lb=a; Path=/', 'https://example.com/', undefined],
    ['lb=a; Path=/', 'https://eu.otlp.example.com/', undefined],
    ['lb=a; Path=/; Domain=.example.com', 'https://eu.example.com/', 'lb=a'],
    ['lb=a; Path=/; Domain=example.com', 'https://badexample.com/', undefined],
    ['lb=a; Path=/; Domain=other.com', 'https://other.com/', undefined],
    ['lb=a; Path=/; Domain=com', 'https://other.com/', undefined],
    ['lb = a b ; path=/; httponly; samesite=lax', 'https://otlp.example.com/', 'lb=a b'],
    ['=a; Path=/', 'https://otlp.example.com/', undefined],
    ['lb; Path=/', 'https://otlp.example.com/', undefined],
    ['lb=a\u0001; Path=/', 'https://otlp.example.com/', undefined],
  ])('"%s" to %s: %s', (line, to, expected) => {
    jar.take(FROM, line)
    expect(jar.header(at(to))).toBe(expected)
  })
})

test('several are sent together, those of longer paths first; one of the same name and path replaces another', () => {
  jar.take(FROM, ['a=1; Path=/', 'b=2; Path=/v1', 'a=3; Path=/'])
  expect(jar.header(FROM)).toBe('b=2; a=3')
})

test('Max-Age ends one, and goes before Expires; 0 takes it away', () => {
  jar.take(FROM, 'a=1; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT')
  jar.take(FROM, `b=2; Path=/; Expires=${new Date(now + 30_000).toUTCString()}`)
  expect(jar.header(FROM)).toBe('a=1; b=2')
  now += 30_000
  expect(jar.header(FROM)).toBe('a=1')
  now += 30_000
  expect(jar.header(FROM)).toBeUndefined()
  jar.take(FROM, 'c=3; Path=/')
  jar.take(FROM, 'c=; Path=/; Max-Age=0')
  expect(jar.header(FROM)).toBeUndefined()
})

test('a server that sets ever more of them does not fill memory', () => {
  for (let i = 0; i < 1000; i++) jar.take(FROM, `n${i}=1; Path=/`)
  const kept = jar.header(FROM)!.split('; ')
  expect(kept).toHaveLength(300)
  expect(kept.at(-1)).toBe('n999=1')
  jar.take(FROM, `large=${'x'.repeat(5000)}`)
  expect(jar.header(FROM)).not.toContain('large')
})
