import { describe, expect, test } from 'vitest'
import { ProxyEnvironment, parseProxyUrl } from '../../src/transport/proxy-environment.ts'

const proxy = (env: Record<string, string>, scheme: 'http' | 'https', host: string, port = 4317): string | undefined =>
  new ProxyEnvironment(env).proxyFor(scheme, host, port)?.href

describe('which proxy', () => {
  test.each<[Record<string, string>, 'http' | 'https', string | undefined]>([
    [{}, 'https', undefined],
    [{ HTTPS_PROXY: 'http://a:1' }, 'https', 'http://a:1/'],
    [{ HTTPS_PROXY: 'http://a:1' }, 'http', undefined],
    [{ HTTP_PROXY: 'http://a:1' }, 'http', 'http://a:1/'],
    [{ https_proxy: 'http://a:1' }, 'https', 'http://a:1/'],
    [{ HTTPS_PROXY: 'http://a:1', https_proxy: 'http://b:1' }, 'https', 'http://a:1/'],
    [{ HTTPS_PROXY: '', https_proxy: 'http://b:1' }, 'https', 'http://b:1/'],
    [{ HTTPS_PROXY: 'a:3128' }, 'https', 'http://a:3128/'],
    [{ HTTPS_PROXY: 'https://a' }, 'https', 'https://a/'],
    [{ HTTPS_PROXY: 'socks5://a:1080' }, 'https', 'socks5://a:1080'],
  ])('%j for %s: %s', (env, scheme, expected) => {
    expect(proxy(env, scheme, 'backend.test')).toBe(expected)
  })

  test('is none to loopback, whatever NO_PROXY says', () => {
    const env = { HTTPS_PROXY: 'http://a:1' }
    for (const host of ['localhost', 'LOCALHOST', '127.0.0.1', '127.9.9.9', '::1']) {
      expect(proxy(env, 'https', host)).toBeUndefined()
    }
  })

  test('that is no URL is refused without its credentials', () => {
    expect(() => new ProxyEnvironment({ HTTPS_PROXY: 'ftp://me:secret@proxy:1' })).toThrow(
      'environment variable HTTPS_PROXY: expected the URL of a proxy, such as "http://proxy:3128", got "ftp://***@proxy:1"',
    )
    expect(parseProxyUrl('http://')).toMatch(/^expected the URL of a proxy/)
  })
})

describe('NO_PROXY', () => {
  test.each<[string, string, number, boolean]>([
    ['*', 'anything.test', 1, true],
    ['foo.com', 'foo.com', 1, true],
    ['foo.com', 'FOO.com.', 1, true],
    ['foo.com', 'bar.foo.com', 1, true],
    ['foo.com', 'barfoo.com', 1, false],
    ['.foo.com', 'bar.foo.com', 1, true],
    ['.foo.com', 'foo.com', 1, false],
    ['*.foo.com', 'bar.foo.com', 1, true],
    ['*.foo.com', 'foo.com', 1, false],
    ['foo.com:443', 'foo.com', 443, true],
    ['foo.com:443', 'foo.com', 4317, false],
    ['10.0.0.0/8', '10.1.2.3', 1, true],
    ['10.0.0.0/8', '11.1.2.3', 1, false],
    ['fd00::/8', 'fd12::1', 1, true],
    ['192.168.1.1', '192.168.1.1', 1, true],
    ['192.168.1.1:80', '192.168.1.1', 80, true],
    ['192.168.1.1:80', '192.168.1.1', 81, false],
    ['[fd00::1]:80', 'fd00::1', 80, true],
    ['fd00::1', 'fd00:0::1', 1, true],
    [' a.test , b.test ', 'b.test', 1, true],
    ['10.0.0.0/99,b.test', 'b.test', 1, true],
    ['', 'b.test', 1, false],
    [':80', 'b.test', 80, false],
  ])('"%s": %s port %i is reached directly: %s', (list, host, port, direct) => {
    const env = { HTTPS_PROXY: 'http://a:1', NO_PROXY: list }
    expect(proxy(env, 'https', host, port) === undefined).toBe(direct)
    expect(proxy({ https_proxy: 'http://a:1', no_proxy: list }, 'https', host, port) === undefined).toBe(direct)
  })
})
