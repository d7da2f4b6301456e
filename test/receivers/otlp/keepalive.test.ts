import { once } from 'node:events'
import * as http2 from 'node:http2'
import { expect, test } from 'vitest'
import { serverKeepalive } from '../../../src/config/grpc-server-fields.ts'
import { cleanups, running } from './support/running.ts'

// What each limit does to a connection stands in test/transport/grpc-server-keepalive.test.ts; here, that options are those limits.

const HOURS = 3_600_000
const USUAL = { pings: { minTimeMs: 300_000, permitWithoutStream: false }, pingEveryMs: 2 * HOURS }

test('what is not written is as in grpc-go', () => {
  expect(serverKeepalive(undefined)).toEqual(USUAL)
  const zero = {
    max_connection_idle: 0,
    max_connection_age: 0,
    max_connection_age_grace: 0,
    time: 0,
    timeout: 0,
  }
  const policy = { min_time: 0, permit_without_stream: false }
  expect(serverKeepalive({ server_parameters: zero, enforcement_policy: policy })).toEqual({
    ...USUAL,
    maxConnectionIdleMs: 0,
    maxConnectionAgeMs: 0,
    maxConnectionAgeGraceMs: 0,
  })
})

test('every option is the limit of its name', () => {
  const server_parameters = {
    max_connection_idle: 1,
    max_connection_age: 2,
    max_connection_age_grace: 3,
    time: 4,
    timeout: 5,
  }
  expect(
    serverKeepalive({ server_parameters, enforcement_policy: { min_time: 6, permit_without_stream: true } }),
  ).toEqual({
    maxConnectionIdleMs: 1,
    maxConnectionAgeMs: 2,
    maxConnectionAgeGraceMs: 3,
    pingEveryMs: 4,
    pingTimeoutMs: 5,
    pings: { minTimeMs: 6, permitWithoutStream: true },
  })
})

async function connected(grpc: object): Promise<http2.ClientHttp2Session> {
  const session = http2.connect(`http://${(await running({ grpc, http: false })).grpc}`)
  cleanups.push(() => session.destroy())
  session.on('error', () => {})
  await once(session, 'remoteSettings')
  return session
}

test('max_concurrent_streams is told to clients', async () => {
  expect((await connected({ max_concurrent_streams: 5 })).remoteSettings.maxConcurrentStreams).toBe(5)
})

test('max_connection_idle ends a connection without calls', async () => {
  await once(await connected({ keepalive: { server_parameters: { max_connection_idle: '30ms' } } }), 'goaway')
})

/** How many of ten pings are answered. */
async function answered(session: http2.ClientHttp2Session): Promise<number> {
  for (let count = 0; count < 10; count++) {
    const answer = await new Promise<boolean>((resolve) => {
      session.once('close', () => resolve(false))
      if (session.destroyed || !session.ping((error) => resolve(error === null))) resolve(false)
    })
    if (!answer) return count
  }
  return 10
}

test('enforcement_policy holds without being written, and as it is written', async () => {
  // The first, two that come too early, and the one that ends the connection, whose answer may still be read.
  expect(await answered(await connected({}))).toBeOneOf([3, 4])
  const policy = { min_time: '1ns', permit_without_stream: true }
  expect(await answered(await connected({ keepalive: { enforcement_policy: policy } }))).toBe(10)
})
