import { expect, test } from 'vitest'
import { ack } from '../../../src/component/delivery.ts'
import { Admission } from '../../../src/transport/admission.ts'
import { Reservation } from '../../../src/transport/reservation.ts'
import { someBatches } from '../../contract/support/data.ts'
import { callRaw, postRaw } from './support/raw-clients.ts'
import { arrived, running } from './support/running.ts'

const BODY = someBatches('traces', 1)[0]!.chunks[0]!

test('over HTTP: every header under its lower-case name, all values in their order', async () => {
  const { http, sink } = await running({ grpc: false, http: { include_metadata: true } })
  const headers = { 'X-Tenant': 'a', 'x-tenant': 'b', 'X-Scope-OrgID': 'é', Accept: 'x, y' }
  const answer = postRaw(http, BODY, { headers })
  await arrived(sink)
  const { context } = sink.last.batch
  expect(context.metadata).toEqual({
    host: ['test'],
    connection: ['close'],
    'content-length': [String(BODY.length)],
    'content-type': ['application/x-protobuf'],
    'x-tenant': ['a', 'b'],
    // What is no ASCII in a header is bytes without a known meaning: node:http reads them as Latin-1.
    'x-scope-orgid': [Buffer.from('é').toString('latin1')],
    accept: ['x, y'],
  })
  expect(context.peer).toMatch(/^127\.0\.0\.1:\d+$/)
  ack(sink.last)
  expect((await answer).status).toBe(200)
})

test('over gRPC: the metadata, and the authority as host, as the Collector has it', async () => {
  const { grpc, sink } = await running({ http: false, grpc: { include_metadata: true } })
  const call = callRaw(grpc, BODY, { headers: { 'X-Tenant': ['a', 'b'], 'token-bin': 'AAEC', 'grpc-timeout': '10S' } })
  await arrived(sink)
  expect(sink.last.batch.context.metadata).toEqual({
    'content-type': ['application/grpc'],
    te: ['trailers'],
    'x-tenant': ['a, b'],
    'token-bin': ['AAEC'],
    'grpc-timeout': ['10S'],
    host: [grpc],
  })
  ack(sink.last)
  expect((await call).status?.code).toBe(0)
})

test('that is held is booked, and refused where there is no room for it', async () => {
  const admission = new Admission(Admission.memory(400 * 1024))
  const others = admission.begin(false)
  if (!(others instanceof Reservation)) throw new Error(others.message)
  // What is left is enough for one.
  others.take(admission.limit - 50_000)
  const before = admission.reserved
  const { grpc, sink } = await running({ http: false, grpc: { include_metadata: true }, admission })
  const headers = { 'x-large': 'a'.repeat(30_000) }
  const first = callRaw(grpc, BODY, { headers })
  await arrived(sink)
  expect(admission.reserved - before).toBeGreaterThan(30_000)
  expect(await callRaw(grpc, BODY, { headers })).toMatchObject({
    status: { code: 14, retryAfterMs: expect.any(Number) },
  })
  ack(sink.last)
  expect((await first).status?.code).toBe(0)
  expect(admission.reserved).toBe(before)
  others.release()
})

test('is not there unless it was asked for; the address of the client always is', async () => {
  const { grpc, http, sink } = await running()
  const answers = [callRaw(grpc, BODY, { headers: { 'x-tenant': 'a' } }), postRaw(http, BODY)]
  await arrived(sink, 2)
  for (const { batch } of sink.deliveries) {
    expect(batch.context).toEqual({
      transport: expect.stringMatching(/^(grpc|http)$/),
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      arrivedAt: expect.any(Number),
    })
  }
  sink.deliveries.forEach(ack)
  await Promise.all(answers)
})
