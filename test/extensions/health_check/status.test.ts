import * as http2 from 'node:http2'
import { expect, onTestFinished, test } from 'vitest'
import { HealthCheck } from '../../../extensions/health_check/extension.ts'
import { serviceStatus, statusCode } from '../../../extensions/health_check/status.ts'
import type { ComponentHealth, Health } from '../../../src/component/host.ts'
import { deadlineIn } from '../../support/context.ts'
import { hostContext, testHost } from '../../support/host.ts'
import { ask } from '../../support/http-get.ts'
import { healthConfig } from './support/health-config.ts'

const T = Date.UTC(2026, 0, 1)

function healths(exporter: Health, message?: string): ComponentHealth[] {
  return [
    { kind: 'extension', id: 'health_check', health: 'ok', since: T },
    { kind: 'receiver', id: 'otlp', health: 'ok', since: T },
    { kind: 'processor', id: 'batch', pipeline: 'traces', health: 'ok', since: T },
    { kind: 'exporter', id: 'debug', health: exporter, since: T + 1000, ...(message && { message }) },
  ]
}

async function rig(options: object, others: Record<string, object> = {}) {
  const host = testHost()
  const ctx = hostContext('health_check', host)
  const config = await healthConfig({ use_v2: true, ...options })
  const extension = new HealthCheck(config, { ...ctx, extension: (id) => others[id] })
  onTestFinished(() => extension.stop(deadlineIn(ctx.clock, 0)))
  host.healths = healths('ok')
  await extension.start()
  const address = (transport: string) => ctx.endpoints.find((each) => each.transport === transport)!.address
  return { ctx, host, extension, address, get: (path: string) => ask(`http://${address('http')}${path}`) }
}

test('/status has the shape of healthcheckv2: the whole, one pipeline, every component', async () => {
  const { host, get } = await rig({ http: { endpoint: '127.0.0.1:0' } })
  host.healths = healths('recoverable', 'no peer')
  const attributes = {}
  const at = (second: number): string => `2026-01-01T00:00:0${second}.000Z`
  const failing = { status: 'StatusRecoverableError', error: 'no peer', status_time: at(1), attributes }
  const fine = { healthy: true, status: 'StatusOK', status_time: at(0), attributes }
  const start_time = at(0)
  const whole = await get('/status')
  expect(whole.status).toBe(200)
  expect(JSON.parse(whole.text)).toEqual({ start_time, healthy: true, ...failing })
  expect(JSON.parse((await get('/status?pipeline=traces')).text)).toEqual({ start_time, healthy: true, ...failing })
  expect(JSON.parse((await get('/status?verbose')).text).components).toEqual({
    extensions: { ...fine, components: { 'extension:health_check': fine } },
    'pipeline:traces': {
      healthy: true,
      ...failing,
      components: {
        'receiver:otlp': fine,
        'processor:batch': fine,
        'exporter:debug': { healthy: true, ...failing },
      },
    },
  })
  expect(await get('/status?pipeline=logs')).toMatchObject({ status: 404, text: 'there is no pipeline "logs"\n' })
  expect(await get('/config')).toMatchObject({ status: 404 })
})

// The table of healthcheckv2's README.
test.each<[Health, object, number]>([
  ['starting', {}, 503],
  ['ok', {}, 200],
  ['recoverable', {}, 200],
  ['recoverable', { include_recoverable_errors: true, recovery_duration: 5000 }, 200],
  ['recoverable', { include_recoverable_errors: true, recovery_duration: 4000 }, 500],
  ['permanent', {}, 200],
  ['permanent', { include_permanent_errors: true }, 500],
  ['fatal', {}, 500],
  ['stopping', {}, 503],
  ['stopped', {}, 503],
])('an exporter that is %s under %j makes it %i', (health, settings, code) => {
  const all = { include_permanent_errors: false, include_recoverable_errors: false, recovery_duration: 0, ...settings }
  // The exporter's health is of T + 1 s, so 4.5 s old.
  const status = serviceStatus(healths(health), testHost().config.service.pipelines, all, T + 5500)
  expect(statusCode(status)).toBe(code)
})

test('the configuration is shown where it is asked for', async () => {
  const { get } = await rig({ http: { endpoint: '127.0.0.1:0', config: { enabled: true } } })
  expect(JSON.parse((await get('/config')).text)).toEqual({ receivers: { otlp: {} } })
})

/** One call of grpc.health.v1.Health; `messages` grows while a watch is open. */
function call(address: string, method: string, service: string, headers: http2.OutgoingHttpHeaders = {}) {
  const session = http2.connect(`http://${address}`)
  onTestFinished(() => session.destroy())
  const stream = session.request({
    ':method': 'POST',
    ':path': `/grpc.health.v1.Health/${method}`,
    'content-type': 'application/grpc',
    ...headers,
  })
  const messages: number[] = []
  const status = new Promise<string>((resolve, reject) => {
    stream.on('response', (headers) => headers['grpc-status'] && resolve(String(headers['grpc-status'])))
    stream.on('trailers', (trailers) => resolve(String(trailers['grpc-status'])))
    stream.on('error', reject)
  })
  stream.on('data', (chunk: Buffer) => messages.push(chunk.at(-1)!))
  const name = Buffer.from(service)
  stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, name.length + 2, 10, name.length]), name]))
  return { messages, status, stream }
}

test('gRPC health: checked, watched, unknown, and ended by the stop', async () => {
  const { ctx, host, extension, address } = await rig({ grpc: { endpoint: '127.0.0.1:0' } })
  const at = address('grpc')
  const check = call(at, 'Check', 'traces')
  expect([await check.status, check.messages]).toEqual(['0', [1]])
  const unknown = call(at, 'Check', 'logs')
  expect([await unknown.status, unknown.messages]).toEqual(['5', []])
  const odd = call(at, 'Guess', '')
  expect(await odd.status).toBe('12')

  const watch = call(at, 'Watch', '')
  const nobody = call(at, 'Watch', 'logs')
  await expect.poll(() => [watch.messages, nobody.messages]).toEqual([[1], [3]])
  host.healths = healths('fatal')
  host.changed()
  host.changed()
  host.healths = healths('ok')
  host.changed()
  await expect.poll(() => watch.messages).toEqual([1, 2, 1])
  await extension.stop(deadlineIn(ctx.clock, 1000))
  expect([await watch.status, await nobody.status]).toEqual(['14', '14'])
})

test('gRPC health: extensions say who may ask, and whether now', async () => {
  const { address } = await rig(
    {
      grpc: {
        endpoint: '127.0.0.1:0',
        auth: { authenticator: 'bearertokenauth/doorman' },
        middlewares: [{ id: 'memory_limiter/gate' }],
      },
    },
    {
      'bearertokenauth/doorman': {
        async authenticate(head: { peer: string; header(name: string): string | undefined }) {
          if (head.header('authorization') === 'broken') throw new Error('no answer')
          return head.header('authorization') === 'me' && head.peer.startsWith('127.0.0.1:')
            ? undefined
            : { code: 16, message: 'who are you?' }
        },
      },
      'memory_limiter/gate': {
        admit: (head: { metadata(): object }) =>
          'x-hurry' in head.metadata() ? { code: 14, message: 'not now' } : undefined,
      },
    },
  )
  const status = (headers: object) => call(address('grpc'), 'Check', '', { ...headers }).status
  expect(await status({})).toBe('16')
  expect(await status({ authorization: 'me' })).toBe('0')
  expect(await status({ authorization: 'me', 'x-hurry': '1' })).toBe('14')
  expect(await status({ authorization: 'broken' })).toBe('14')
})

test('gRPC health: a connection has as many calls and lives as long as is configured', async () => {
  const keepalive = { server_parameters: { max_connection_idle: '50ms' } }
  const { address } = await rig({ grpc: { endpoint: '127.0.0.1:0', max_concurrent_streams: 7, keepalive } })
  const session = http2.connect(`http://${address('grpc')}`)
  onTestFinished(() => session.destroy())
  const settings = await new Promise<http2.Settings>((resolve) => session.once('remoteSettings', resolve))
  expect(settings.maxConcurrentStreams).toBe(7)
  // It has no call.
  await new Promise((resolve) => session.once('goaway', resolve))
})
