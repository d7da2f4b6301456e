import { expect, onTestFinished, test } from 'vitest'
import { HealthCheck } from '../../../extensions/health_check/extension.ts'
import { deadlineIn } from '../../support/context.ts'
import { hostContext, testHost } from '../../support/host.ts'
import { ask as get } from '../../support/http-get.ts'
import { healthConfig } from './support/health-config.ts'

async function rig(options: object = {}, id = 'health_check') {
  const host = testHost()
  const ctx = hostContext(id, host)
  const extension = new HealthCheck(await healthConfig({ endpoint: '127.0.0.1:0', ...options }), ctx)
  onTestFinished(() => extension.stop(deadlineIn(ctx.clock, 0)))
  await extension.start()
  const ask = (path = '/') => get(`http://${ctx.endpoints[0]!.address}${path}`)
  return { ctx, host, extension, ask }
}

test('unavailable while starting, available when ready, unavailable from the moment the stop begins', async () => {
  const { ctx, extension, ask } = await rig()
  const unavailable = {
    status: 503,
    text: '{"status":"Server not available","upSince":"0001-01-01T00:00:00Z","uptime":""}',
  }
  expect(await ask()).toMatchObject(unavailable)
  extension.ready()
  await ctx.clock.advance(62_500)
  const up = await ask('/any/path')
  expect(up).toMatchObject({
    status: 200,
    text: '{"status":"Server available","upSince":"2026-01-01T00:00:00.000Z","uptime":"1m2.5s"}',
  })
  expect(up.headers['content-type']).toBe('application/json')
  extension.stopping()
  expect(await ask()).toMatchObject(unavailable)
})

test('answers with the texts of response_body, on its path only', async () => {
  const { extension, ask } = await rig({
    path: '/health',
    response_body: { healthy: "I'm good", unhealthy: "I'm bad" },
  })
  expect(await ask('/health')).toMatchObject({ status: 503, text: "I'm bad" })
  extension.ready()
  expect(await ask('/health?probe=1')).toMatchObject({ status: 200, text: "I'm good" })
  expect(await ask('/')).toMatchObject({ status: 404 })
})

test('alive from the start until a component fails so that only a restart helps', async () => {
  const { host, extension, ask } = await rig()
  expect(await ask('/livez')).toMatchObject({ status: 200, text: 'alive\n' })
  extension.stopping()
  expect(await ask('/livez')).toMatchObject({ status: 200 })
  host.healths = [{ kind: 'exporter', id: 'debug', health: 'fatal', since: 0, message: 'broken' }]
  expect(await ask('/livez')).toMatchObject({ status: 500, text: 'exporter debug: broken\n' })
})

test('ready between start and stop unless a component failed for good; a peer that is down changes nothing', async () => {
  const { host, extension, ask } = await rig()
  expect(await ask('/readyz')).toMatchObject({ status: 503, text: 'not ready: it starts or stops\n' })
  extension.ready()
  host.healths = [{ kind: 'exporter', id: 'debug', health: 'recoverable', since: 0, message: 'peer down' }]
  expect(await ask('/readyz')).toMatchObject({ status: 200, text: 'ready\n' })
  host.healths = [{ kind: 'exporter', id: 'debug', health: 'permanent', since: 0, message: 'refused' }]
  expect(await ask('/readyz')).toMatchObject({ status: 503, text: 'not ready: exporter debug: refused\n' })
  extension.stopping()
  expect(await ask('/readyz')).toMatchObject({ status: 503 })
})

test('says whose address is taken and what to do', async () => {
  const { ctx } = await rig()
  await expect(rig({ endpoint: ctx.endpoints[0]!.address }, 'health_check/2')).rejects.toMatchObject({
    code: 'LISTEN_ADDRESS_IN_USE',
    message: expect.stringContaining('endpoint: cannot listen on') as string,
  })
})

test('an authenticator is asked who wants to know', async () => {
  const ctx = hostContext('health_check')
  const authenticate = (head: { header(name: string): string | undefined }) =>
    head.header('authorization') === 'Bearer me' ? undefined : { code: 16, message: 'who are you?' }
  const auth = { authenticator: 'bearertokenauth/doorman', request_params: ['Authorization'] }
  const config = await healthConfig({ endpoint: '127.0.0.1:0', auth })
  const extension = new HealthCheck(config, { ...ctx, extension: () => ({ authenticate }) as object })
  onTestFinished(() => extension.stop(deadlineIn(ctx.clock, 0)))
  await extension.start()
  const url = `http://${ctx.endpoints[0]!.address}/livez`
  expect(await get(url)).toMatchObject({ status: 401, text: 'who are you?\n' })
  expect(await get(url, { authorization: 'Bearer me' })).toMatchObject({ status: 200 })
  expect(await get(`${url}?Authorization=Bearer%20me`)).toMatchObject({ status: 200 })
  // A parameter that nobody named says nothing, and one that was named goes before the header.
  expect(await get(`${url}?authorization=Bearer%20me`)).toMatchObject({ status: 401 })
  expect(await get(`${url}?Authorization=x`, { authorization: 'Bearer me' })).toMatchObject({ status: 401 })
})

test('a gatekeeper turns away with its delay; pages of other origins are told what cors says', async () => {
  const ctx = hostContext('health_check')
  const admit = (head: { header(name: string): string | undefined }) =>
    head.header('x-hurry') === undefined ? undefined : { code: 14, message: 'not now', retryAfterMs: 1500 }
  const config = await healthConfig({
    endpoint: '127.0.0.1:0',
    middlewares: [{ id: 'memory_limiter/gate' }],
    cors: { allowed_origins: ['https://*.example'], exposed_headers: ['x-a'], max_age: 60 },
  })
  const extension = new HealthCheck(config, {
    ...ctx,
    extension: (id) => (id === 'memory_limiter/gate' ? ({ admit } as object) : undefined),
  })
  onTestFinished(() => extension.stop(deadlineIn(ctx.clock, 0)))
  await extension.start()
  const url = `http://${ctx.endpoints[0]!.address}/livez`
  const refused = await get(url, { 'x-hurry': '1' })
  expect(refused).toMatchObject({ status: 503, text: 'not now\n', headers: { 'retry-after': '2' } })
  const origin = 'https://ops.example'
  expect(await get(url, { origin })).toMatchObject({
    status: 200,
    headers: { 'access-control-allow-origin': origin, 'access-control-expose-headers': 'x-a' },
  })
  expect((await get(url, { origin: 'https://else.where' })).headers).not.toHaveProperty('access-control-allow-origin')
  const preflight = await fetch(url, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'GET' } })
  expect([preflight.status, preflight.headers.get('access-control-max-age')]).toEqual([204, '60'])
})

test('the paths of liveness and readiness may be others', async () => {
  const { ask } = await rig({ path: '/h', liveness_path: '/alive', readiness_path: '/able' })
  expect(await ask('/alive')).toMatchObject({ status: 200, text: 'alive\n' })
  expect(await ask('/able')).toMatchObject({ status: 503 })
  expect(await ask('/livez')).toMatchObject({ status: 404 })
})

test.each([
  [{ endpoint: 'localhost' }, 'the port is missing'],
  [{ http: {} }, 'http belongs to version 2; add use_v2: true'],
  [{ use_v2: true }, 'version 2 serves nothing without "http:" or "grpc:" beside it'],
  [{ use_v2: true, http: { endpoint: 'here' } }, 'the port is missing'],
  [{ response_headers: { 'a b': 'c' } }, 'extensions.health_check.response_headers.a b: expected the name of a header'],
  [{ use_v2: true, http: { cors: { allowed_headers: ['a b'] } } }, 'expected the name of a header, got "a b"'],
  [{ use_v2: true, grpc: { endpoint: ':1', tls: {} } }, 'expected a certificate and its private key'],
])('%j is refused', async (options, why) => {
  await expect(healthConfig(options)).rejects.toThrow(why)
})
