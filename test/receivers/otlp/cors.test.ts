import { describe, expect, test } from 'vitest'
import { ack } from '../../../src/component/delivery.ts'
import { someBatches } from '../../contract/support/data.ts'
import { postRaw, type RawAnswer } from './support/raw-clients.ts'
import { arrived, running } from './support/running.ts'

// Requests as browsers make them, by hand: which header decides what a page may is the Fetch standard's.

const BODY = someBatches('traces', 1)[0]!.chunks[0]!
const PREFLIGHT_VARY = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'

const PREFIX = 'access-control-'
const granted = ({ headers }: RawAnswer): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      name.startsWith(PREFIX) ? [[name.slice(PREFIX.length), value]] : [],
    ),
  )

function preflight(address: string, origin: string, asked: Record<string, string> = {}): Promise<RawAnswer> {
  const headers = { Origin: origin, 'Access-Control-Request-Method': 'POST', ...asked }
  return postRaw(address, Buffer.alloc(0), { method: 'OPTIONS', type: '', headers })
}

async function serve(cors: object, more: object = {}) {
  return await running({ grpc: false, http: { cors, ...more } })
}

describe('a preflight', () => {
  test('from an allowed origin names it, the method and the headers', async () => {
    const { http } = await serve({ allowed_origins: ['https://app.example'], max_age: 7200 })
    const reply = await preflight(http, 'https://app.example', { 'Access-Control-Request-Headers': 'content-type' })
    expect([reply.status, reply.body.length, reply.headers['vary']]).toEqual([204, 0, PREFLIGHT_VARY])
    expect(granted(reply)).toEqual({
      'allow-origin': 'https://app.example',
      'allow-credentials': 'true',
      'allow-methods': 'POST',
      'allow-headers': 'content-type',
      'max-age': '7200',
    })
  })

  test.each([
    ['https://app.example', 'https://app.example', true],
    ['https://APP.example', 'https://app.EXAMPLE', true],
    ['https://app.example', 'http://app.example', false],
    ['https://app.example', 'https://app.example:8443', false],
    ['https://*.example', 'https://a.b.example', true],
    ['https://*.example', 'https://example', false],
    ['https://*.example', 'https://a.example.evil', false],
    ['*.example', 'http://x.example', true],
    ['http://localhost:*', 'http://localhost:3000', true],
    ['http://ab*ba', 'http://aba', false],
    ['*', 'https://anybody', true],
  ])('with %s allowed, from %s', async (allowed, origin, may) => {
    const { http } = await serve({ allowed_origins: ['https://other.example', allowed] })
    const reply = await preflight(http, origin)
    expect([reply.status, reply.headers['vary']]).toEqual([204, PREFLIGHT_VARY])
    expect(granted(reply)['allow-origin']).toBe(may ? (allowed === '*' ? '*' : origin) : undefined)
    if (!may) expect(granted(reply)).toEqual({})
  })

  test.each([
    [[], 'accept,content-type,x-requested-with', true],
    [[], 'authorization', false],
    [['Authorization', 'Content-Type'], 'authorization,content-type', true],
    [['Authorization'], 'authorization,content-type', false],
    [['*'], 'x-anything, x-else', true],
  ])('with headers %j allowed, for %s', async (allowed, asked, may) => {
    const { http } = await serve({ allowed_origins: ['*'], allowed_headers: allowed })
    const reply = await preflight(http, 'https://a.example', { 'Access-Control-Request-Headers': asked })
    expect(granted(reply)['allow-headers']).toBe(may ? asked : undefined)
    expect(granted(reply)['allow-origin']).toBe(may ? '*' : undefined)
  })

  test('for a method that OTLP does not have is granted nothing', async () => {
    const { http } = await serve({ allowed_origins: ['*'] })
    expect(granted(await preflight(http, 'https://a.example', { 'Access-Control-Request-Method': 'DELETE' }))).toEqual(
      {},
    )
  })

  test('a negative max_age forbids browsers to remember', async () => {
    const { http } = await serve({ allowed_origins: ['*'], max_age: -1 })
    expect(granted(await preflight(http, 'https://a.example'))['max-age']).toBe('0')
  })

  test('asks nobody who the page is', async () => {
    const refuses = { stop() {}, authenticate: () => ({ code: 16, message: 'who?' }) }
    const { http } = await running({
      grpc: false,
      http: { cors: { allowed_origins: ['*'] }, auth: { authenticator: 'refuses' } },
      extensions: { refuses },
    })
    expect((await preflight(http, 'https://a.example')).status).toBe(204)
    const headers = { Origin: 'https://a.example' }
    const actual = await postRaw(http, BODY, { headers })
    // A page may read why it was refused.
    expect([actual.status, granted(actual)['allow-origin']]).toEqual([401, '*'])
  })
})

describe('a request', () => {
  test('from an allowed origin is taken, and its page may read the answer', async () => {
    const { http, sink } = await serve({
      allowed_origins: ['https://app.example'],
      exposed_headers: ['X-Served-By', 'Retry-After'],
    })
    const answer = postRaw(http, BODY, { headers: { Origin: 'https://app.example' } })
    await arrived(sink)
    ack(sink.last)
    const reply = await answer
    expect([reply.status, reply.headers['vary']]).toEqual([200, 'Origin'])
    expect(granted(reply)).toEqual({
      'allow-origin': 'https://app.example',
      'allow-credentials': 'true',
      'expose-headers': 'X-Served-By, Retry-After',
    })
  })

  test('from another origin, or none, is taken as well: CORS protects users of pages', async () => {
    const { http, sink } = await serve({ allowed_origins: ['https://app.example'] })
    const answers = [postRaw(http, BODY, { headers: { Origin: 'https://else.example' } }), postRaw(http, BODY)]
    await arrived(sink, 2)
    sink.deliveries.forEach(ack)
    for (const reply of await Promise.all(answers)) {
      expect([reply.status, reply.headers['vary'], granted(reply)]).toEqual([200, 'Origin', {}])
    }
  })

  test('without cors says nothing of origins', async () => {
    const { http } = await running({ grpc: false })
    const reply = await postRaw(http, Buffer.alloc(0), { headers: { Origin: 'https://app.example' } })
    expect([reply.status, reply.headers['vary'], granted(reply)]).toEqual([200, undefined, {}])
  })
})

test('an origin that no page has keeps nothing from starting, and is said', async () => {
  const origins = ['https://*.*.example', 'app.example', 'https://app.example/', 'https://ok.example:8443', 'null', '*']
  const { ctx } = await serve({ allowed_origins: origins })
  const at = 'protocols.http.cors.allowed_origins'
  expect(ctx.lines.map(({ msg }) => msg)).toEqual([
    `${at}[0]: no page has the origin "https://*.*.example": one * stands for any text, a second one for itself`,
    `${at}[1]: no page has the origin "app.example": a scheme comes first, as in https://app.example`,
    `${at}[2]: no page has the origin "https://app.example/": it ends after the host, or the port`,
  ])
})

test('allowed headers without origins have no effect, which is said', async () => {
  const { http, ctx } = await serve({ allowed_headers: ['x-a'] })
  expect(granted(await postRaw(http, Buffer.alloc(0), { headers: { Origin: 'https://a' } }))).toEqual({})
  expect(ctx.lines.map(({ msg }) => msg).join()).toContain('cors has no allowed_origins')
})
