import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import definition from '../../../receivers/otlp/otlp.ts'
import type { Component } from '../../../src/component/contracts.ts'
import type { Gatekeeper, ServerAuthenticator } from '../../../src/component/extension-roles.ts'
import { arenas } from '../../../src/otlp/arena.ts'
import { decodeStatus } from '../../../src/transport/rpc-status.ts'
import { type CallStatus, GRPC, type RequestHead } from '../../../src/transport/unary.ts'
import { someBatches } from '../../contract/support/data.ts'
import { deadlineIn, testContext } from '../../support/context.ts'
import { Sink } from '../../support/deliveries.ts'
import { configured } from '../../transport/support/configured.ts'
import { jsClient } from '../../transport/support/grpc-peers.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  expect(arenas.held).toBe(0)
})

const BODY = someBatches('traces', 1)[0]!.chunks[0]!
const NOBODY: CallStatus = { code: GRPC.UNAUTHENTICATED, message: 'who are you?' }
const KNOWN = { username: 'ann', groups: ['a', 'b'] }

/** Knows `token: ann`; `later` answers in another turn, as one that asks an identity provider does. */
function doorman(later: boolean): Component & ServerAuthenticator {
  const verdict = (head: RequestHead): CallStatus | undefined => {
    if (head.header('token') !== 'ann') return NOBODY
    head.auth = KNOWN
    return undefined
  }
  return {
    stop() {},
    authenticate: (head) => (later ? turn().then(() => verdict(head)) : verdict(head)),
  }
}

async function run(extensions: Record<string, Component>, more: object) {
  const ctx = testContext({ kind: 'receiver', id: 'otlp', signals: ['traces'], extensions })
  const sink = new Sink()
  const side = { endpoint: '127.0.0.1:0', ...more }
  const config = configured(definition, { protocols: { grpc: side, http: side } })
  const component = await definition.create(config, ctx, { traces: sink })
  cleanups.push(() => component.stop!(deadlineIn(ctx.clock, 0)))
  await component.start!()
  const address = (transport: string): string => ctx.endpoints.find((each) => each.transport === transport)!.address
  const client = jsClient(address('grpc'))
  cleanups.push(() => client.close())
  const post = async (headers: Record<string, string>, query = '') => {
    const response = await fetch(`http://${address('http')}/v1/traces${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf', ...headers },
      body: Buffer.from(BODY),
    })
    return { response, status: decodeStatus(new Uint8Array(await response.arrayBuffer())) }
  }
  return { sink, client, post }
}

test.each([false, true])(
  'who the authenticator does not know is refused at the headers (asked later: %s)',
  async (later) => {
    const { sink, client, post } = await run({ door: doorman(later) }, { auth: { authenticator: 'door' } })
    expect((await client.call(BODY)).error).toMatchObject({ code: GRPC.UNAUTHENTICATED, details: 'who are you?' })
    const { response, status } = await post({})
    expect(response.status).toBe(401)
    expect(status).toStrictEqual(NOBODY)
    expect(sink.deliveries).toHaveLength(0)
  },
)

test.each([false, true])('what it learned travels with the data (asked later: %s)', async (later) => {
  const { sink, post } = await run({ door: doorman(later) }, { auth: { authenticator: 'door' } })
  const answer = post({ token: 'ann' })
  await expect.poll(() => sink.deliveries.length).toBe(1)
  expect(sink.deliveries[0]!.batch.context.auth).toStrictEqual(KNOWN)
  expect(sink.deliveries[0]!.batch.context.metadata).toBeUndefined()
  sink.deliveries[0]!.settle({ ok: true, rejected: 0 })
  expect((await answer).response.status).toBe(200)
})

test('an authenticator that fails costs no data: clients are told to come again', async () => {
  const broken: Component & ServerAuthenticator = {
    stop() {},
    authenticate: () => Promise.reject(new Error('no answer from the identity provider')),
  }
  const { client, post } = await run({ door: broken }, { auth: { authenticator: 'door' } })
  expect((await client.call(BODY)).error).toMatchObject({
    code: GRPC.UNAVAILABLE,
    details: 'cannot tell whether this call may come in: no answer from the identity provider',
  })
  const { response } = await post({})
  expect([response.status, response.headers.get('retry-after')]).toStrictEqual([503, '1'])
})

test('gatekeepers are asked in their order, once the client is known', async () => {
  const asked: string[] = []
  const gate = (name: string, verdict?: CallStatus): Component & Gatekeeper => ({
    stop() {},
    admit(head) {
      asked.push(`${name} ${String(head.auth?.['username'])}`)
      return verdict
    },
  })
  const full: CallStatus = { code: GRPC.UNAVAILABLE, message: 'no memory', retryAfterMs: 1500 }
  const extensions = { door: doorman(true), a: gate('a'), b: gate('b', full), c: gate('c') }
  const middlewares = [{ id: 'a' }, { id: 'b' }, { id: 'c' }]
  const { sink, post } = await run(extensions, { auth: { authenticator: 'door' }, middlewares })
  const { response, status } = await post({ token: 'ann' })
  expect([response.status, response.headers.get('retry-after')]).toStrictEqual([503, '2'])
  expect(status).toStrictEqual(full)
  expect(asked).toStrictEqual(['a ann', 'b ann'])
  expect((await post({ token: 'bob' })).response.status).toBe(401)
  expect(asked).toHaveLength(2)
  expect(sink.deliveries).toHaveLength(0)
})

test('request_params let a query stand in for headers, and only those', async () => {
  const ctx = testContext({ kind: 'receiver', id: 'otlp', signals: ['traces'], extensions: { door: doorman(false) } })
  const sink = new Sink()
  const http = { endpoint: '127.0.0.1:0', auth: { authenticator: 'door', request_params: ['Token'] } }
  const component = await definition.create(configured(definition, { protocols: { http } }), ctx, { traces: sink })
  cleanups.push(() => component.stop!(deadlineIn(ctx.clock, 0)))
  await component.start!()
  const status = async (query: string, headers: Record<string, string> = {}): Promise<number> => {
    const response = await fetch(`http://${ctx.endpoints[0]!.address}/v1/traces${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf', ...headers },
    })
    return response.status
  }
  expect(await status('?Token=ann')).toBe(200)
  expect(await status('?Token=bob', { token: 'ann' })).toBe(401)
  expect(await status('?other=1', { token: 'ann' })).toBe(200)
  expect(await status('?token=ann')).toBe(401)
})

test('a missing extension and one without the role keep the receiver from starting', async () => {
  await expect(run({}, { auth: { authenticator: 'door' } })).rejects.toThrow(
    'receiver otlp: protocols.grpc.auth.authenticator: no extension "door" runs',
  )
  await expect(run({ door: doorman(false) }, { middlewares: [{ id: 'door' }] })).rejects.toThrow(
    'receiver otlp: protocols.grpc.middlewares[0].id: the extension "door" turns no requests away',
  )
})
