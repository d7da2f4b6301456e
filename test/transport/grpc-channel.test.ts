// Which of a name's addresses a call goes to, and when the name is looked up again. Names are looked up by a function that
// the test hands in, whose addresses are loopback ones that servers of the test listen on; time is the test's own.
import { afterEach, describe, expect, test } from 'vitest'
import { parseGrpcTarget } from '../../src/transport/dial-target.ts'
import { type GrpcClientOptions, grpcClient } from '../../src/transport/grpc-client.ts'
import type { Client } from '../../src/transport/unary.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { answerOk, type Http2Peer, http2Peer } from './support/http2-peer.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const ADDRESSES = ['127.0.0.1', '127.0.0.2', '127.0.0.3']

/** Servers on one port of several loopback addresses, as the pods behind a name are. */
async function peers(...args: Parameters<typeof http2Peer>): Promise<Http2Peer[]> {
  const found: Http2Peer[] = []
  for (const host of ADDRESSES) {
    const port = found[0]?.port
    const peer = await http2Peer(args[0], { ...args[1], host, ...(port !== undefined && { port }) })
    cleanups.push(() => peer.close())
    found.push(peer)
  }
  return found
}

interface Names {
  addresses: readonly string[]
  lookups: number
  failure?: Error
}

function client(
  port: number,
  names: Names,
  options: Partial<GrpcClientOptions> = {},
): { one: Client; clock: FakeClock } {
  const target = parseGrpcTarget(`dns:///gateway.test:${port}`)
  if (typeof target === 'string') throw new Error(target)
  const clock = new FakeClock()
  const one = grpcClient({
    target,
    userAgent: 'sluice-test',
    clock,
    lookup: async (host) => {
      expect(host).toBe('gateway.test')
      names.lookups++
      if (names.failure !== undefined) throw names.failure
      return names.addresses
    },
    ...options,
  })
  cleanups.push(() => one.close())
  return { one, clock }
}

async function send(one: Client, times = 1): Promise<boolean> {
  let all = true
  for (let i = 0; i < times; i++) {
    const result = await one.call('traces', [Uint8Array.of(1)], { timeoutMs: 5000 })
    all &&= result.ok
  }
  return all
}

/** Calls until every peer has a connection: the first ones go to whoever is there first. */
async function spread(one: Client, all: readonly Http2Peer[]): Promise<void> {
  await expect
    .poll(async () => (await send(one)) && all.every(({ sessions }) => sessions.length === 1), { timeout: 5000 })
    .toBe(true)
  await new Promise((resolve) => setTimeout(resolve, 50))
  for (const peer of all) peer.calls = 0
}

const calls = (all: readonly Http2Peer[]): number[] => all.map((peer) => peer.calls)

describe('round_robin', () => {
  test('gives every address its turn', async () => {
    const all = await peers()
    const { one } = client(all[0]!.port, { addresses: ADDRESSES, lookups: 0 })
    await spread(one, all)
    expect(await send(one, 9)).toBe(true)
    expect(calls(all)).toEqual([3, 3, 3])
  })

  test('leaves out an address that is down, and takes it in again when its back-off is over', async () => {
    const all = await peers()
    const { one, clock } = client(all[0]!.port, { addresses: ADDRESSES, lookups: 0 })
    await spread(one, all)
    await all[1]!.close()
    expect(await send(one, 6)).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await send(one, 6)).toBe(true)
    expect(all[1]!.calls).toBe(0)
    const again = await http2Peer(answerOk, { port: all[0]!.port, host: ADDRESSES[1]! })
    cleanups.push(() => again.close())
    // The first wait of an address is a second, a fifth more at most.
    await clock.advance(1200)
    await expect.poll(async () => (await send(one)) && again.calls > 0).toBe(true)
  })

  test('fails at once when no address takes connections, with the last cause', async () => {
    const all = await peers()
    for (const each of all) await each.close()
    const { one } = client(all[0]!.port, { addresses: ADDRESSES, lookups: 0 })
    expect(await one.call('traces', [Uint8Array.of(1)], { timeoutMs: 5000 })).toMatchObject({
      ok: false,
      status: { code: 14, message: expect.stringMatching(/ECONNREFUSED 127\.0\.0\.\d:\d+ \(and 2 more addresses\)$/) },
      connection: 'ECONNREFUSED',
    })
  })
})

describe('a name', () => {
  test('is looked up again after 30 s, while calls are made; a new address is used and one that is gone is not', async () => {
    const all = await peers()
    const names: Names = { addresses: ADDRESSES.slice(0, 2), lookups: 0 }
    const { one, clock } = client(all[0]!.port, names)
    await spread(one, all.slice(0, 2))
    names.addresses = ADDRESSES.slice(1)
    await clock.advance(29_000)
    await send(one, 2)
    expect(names.lookups).toBe(1)
    await clock.advance(1000)
    expect(names.lookups).toBe(1)
    await send(one)
    expect(names.lookups).toBe(2)
    await expect.poll(async () => (await send(one)) && all[2]!.sessions.length).toBe(1)
    await expect.poll(() => all[0]!.sessions[0]!.destroyed).toBe(true)
    await expect.poll(async () => (await send(one)) && all[2]!.calls > 0).toBe(true)
    for (const each of all) each.calls = 0
    expect(await send(one, 4)).toBe(true)
    expect(calls(all)).toEqual([0, 2, 2])
  })

  test('that lost an address lets the calls there end', async () => {
    const held: (() => void)[] = []
    const all = await peers((stream) => void held.push(() => answerOk(stream)))
    const names: Names = { addresses: ADDRESSES.slice(0, 1), lookups: 0 }
    const { one, clock } = client(all[0]!.port, names)
    const underWay = one.call('traces', [Uint8Array.of(1)], { timeoutMs: 5000 })
    await expect.poll(() => held.length).toBe(1)
    names.addresses = ADDRESSES.slice(1, 2)
    await clock.advance(30_000)
    // The call that makes the look-up begin still goes to the old address, unless that closes before it has left.
    const next = one.call('traces', [Uint8Array.of(1)], { timeoutMs: 5000 })
    await expect.poll(() => names.lookups).toBe(2)
    const after = one.call('traces', [Uint8Array.of(1)], { timeoutMs: 5000 })
    await expect.poll(() => held.length).toBe(3)
    expect(all[0]!.calls + all[1]!.calls).toBe(3)
    expect(all[1]!.calls).toBeGreaterThan(0)
    expect(all[0]!.sessions[0]!.destroyed).toBe(false)
    for (const answer of held) answer()
    expect((await Promise.all([underWay, next, after])).map(({ ok }) => ok)).toEqual([true, true, true])
    await expect.poll(() => all[0]!.sessions[0]!.destroyed).toBe(true)
  })

  test('that is not known fails the call, and is looked up again after a second, then 1.6', async () => {
    const [first] = await peers()
    const failure = Object.assign(new Error('getaddrinfo ENOTFOUND gateway.test'), { code: 'ENOTFOUND' })
    const names: Names = { addresses: ADDRESSES.slice(0, 1), lookups: 0, failure }
    const { one, clock } = client(first!.port, names)
    const expected = {
      ok: false,
      status: { code: 14, message: expect.stringMatching(/ENOTFOUND gateway\.test; no such name/) },
      connection: 'ENOTFOUND',
    }
    const call = () => one.call('traces', [Uint8Array.of(1)], { timeoutMs: 5000 })
    expect(await call()).toMatchObject(expected)
    expect(await call()).toMatchObject(expected)
    expect(names.lookups).toBe(1)
    await clock.advance(1000)
    expect(await call()).toMatchObject(expected)
    expect(names.lookups).toBe(2)
    await clock.advance(1599)
    expect(await call()).toMatchObject(expected)
    expect(names.lookups).toBe(2)
    delete names.failure
    await clock.advance(1)
    expect((await call()).ok).toBe(true)
    expect(names.lookups).toBe(3)
  })

  test('that is not known any more keeps the addresses that it had', async () => {
    const [first] = await peers()
    const names: Names = { addresses: ADDRESSES.slice(0, 1), lookups: 0 }
    const { one, clock } = client(first!.port, names)
    expect(await send(one)).toBe(true)
    names.failure = new Error('SERVFAIL')
    await clock.advance(30_000)
    expect(await send(one, 2)).toBe(true)
    expect(names.lookups).toBe(2)
  })
})

describe('pick_first', () => {
  const FIRST = { balancer: 'pick_first' } as const

  test('stays with the first address that answers', async () => {
    const all = await peers()
    await all[0]!.close()
    const { one } = client(all[0]!.port, { addresses: ADDRESSES, lookups: 0 }, FIRST)
    expect(await send(one, 6)).toBe(true)
    expect(calls(all)).toEqual([0, 6, 0])
  })

  test('goes on to the next when its address is lost', async () => {
    const all = await peers()
    const { one } = client(all[0]!.port, { addresses: ADDRESSES, lookups: 0 }, FIRST)
    expect(await send(one, 2)).toBe(true)
    await all[0]!.close()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await send(one, 2)).toBe(true)
    expect(calls(all)).toEqual([2, 2, 0])
  })

  test('fails when all have', async () => {
    const all = await peers()
    for (const each of all) await each.close()
    const { one } = client(all[0]!.port, { addresses: ADDRESSES, lookups: 0 }, FIRST)
    expect(await one.call('traces', [Uint8Array.of(1)], { timeoutMs: 5000 })).toMatchObject({
      ok: false,
      connection: 'ECONNREFUSED',
    })
  })
})

test('more calls than the peer takes at a time wait for their turn', async () => {
  let running = 0
  let most = 0
  const peer = await http2Peer(
    (stream) => {
      most = Math.max(most, ++running)
      stream.on('close', () => running--)
      setTimeout(() => answerOk(stream), 5)
    },
    { settings: { maxConcurrentStreams: 2 } },
  )
  cleanups.push(() => peer.close())
  const { one } = client(peer.port, { addresses: ['127.0.0.1'], lookups: 0 })
  expect(await send(one)).toBe(true)
  const large = new Uint8Array(300_000)
  const results = await Promise.all(
    Array.from({ length: 40 }, () => one.call('traces', [large], { timeoutMs: 10_000 })),
  )
  expect(results.every(({ ok }) => ok)).toBe(true)
  expect(most).toBe(2)
})

test('a peer that reads slowly does not turn requests away for what is queued to it', async () => {
  const held: (() => void)[] = []
  const peer = await http2Peer((stream) => void held.push(() => answerOk(stream)))
  cleanups.push(() => peer.close())
  const { one } = client(peer.port, { addresses: ['127.0.0.1'], lookups: 0 })
  // 12 x 4 MiB: several times what node:http2 lets a session hold of itself.
  const large = new Uint8Array(4 << 20)
  const calls = Array.from({ length: 12 }, () => one.call('traces', [large], { timeoutMs: 20_000 }))
  await expect.poll(() => held.length).toBe(12)
  for (const answer of held) answer()
  expect((await Promise.all(calls)).map((result) => result.ok || result.status.message)).toEqual(calls.map(() => true))
})

test('pings come half as often once a peer says that there are too many', async () => {
  const pings: number[] = []
  const peer = await http2Peer()
  cleanups.push(() => peer.close())
  const keepalive = { everyMs: 40, timeoutMs: 5000, withoutCalls: true }
  const { one, clock } = client(peer.port, { addresses: ['127.0.0.1'], lookups: 0 }, { keepalive })
  /** Mean time between the pings of the connection that is there now; a busy machine only makes it longer. */
  const interval = async (): Promise<number> => {
    expect(await send(one)).toBe(true)
    pings.length = 0
    peer.sessions.at(-1)!.on('ping', () => pings.push(performance.now()))
    await new Promise((resolve) => setTimeout(resolve, 400))
    return (pings.at(-1)! - pings[0]!) / (pings.length - 1)
  }
  expect(await interval()).toBeGreaterThanOrEqual(39)
  peer.sessions[0]!.goaway(11, 0, Buffer.from('too_many_pings'))
  await new Promise((resolve) => setTimeout(resolve, 50))
  await clock.advance(50)
  // Twice 40, and timers are never early.
  expect(await interval()).toBeGreaterThanOrEqual(79)
  expect(peer.sessions).toHaveLength(2)
})
