// A server that refuses messages in the middle, again and again. Node's count of what a session holds grows with every byte that was
// not sent then, and is never put right: a connection has to be replaced before that count ends it.
import { afterEach, expect, test } from 'vitest'
import { arenas } from '../../src/otlp/arena.ts'
import { Admission } from '../../src/transport/admission.ts'
import { parseGrpcTarget } from '../../src/transport/dial-target.ts'
import { grpcClient } from '../../src/transport/grpc-client.ts'
import { serveGrpc } from '../../src/transport/grpc-server.ts'
import { Reservation } from '../../src/transport/reservation.ts'

const MIB = 1 << 20
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

test('every one of many refusals is heard, and every message is let go of', async () => {
  const admission = new Admission(Admission.memory(16 * MIB))
  const full = admission.begin(false)
  if (!(full instanceof Reservation)) throw new Error(full.message)
  // Room for calls, none for messages.
  full.take(admission.limit - 64 * 1024)
  const server = await serveGrpc(
    {
      address: { host: '127.0.0.1', port: 0 },
      configuredBy: 'test',
      signals: ['traces'],
      maxMessageBytes: 4 * MIB,
      admission,
    },
    { handle: (call) => call.reservation.release() },
  )
  cleanups.push(() => server.close(AbortSignal.abort()))
  const target = parseGrpcTarget(server.address)
  if (typeof target === 'string') throw new Error(target)
  // Twelve messages of a MiB are more than its count allows; a quarter of that is three.
  const client = grpcClient({ target, userAgent: 'sluice-test', sessionMemoryMb: 12 })
  cleanups.push(() => client.close())
  const held = arenas.held
  for (let i = 0; i < 40; i++) {
    const body = arenas.take(MIB)
    const result = await client.call('traces', [body], { timeoutMs: 5000, release: () => arenas.release(body) })
    expect(result).toMatchObject({ ok: false, status: { code: 14, message: expect.stringContaining('no room') } })
  }
  full.release()
  await expect.poll(() => arenas.held).toBe(held - 1)
  await expect.poll(() => admission.connections).toBeLessThanOrEqual(2 * MIB)
}, 30_000)
