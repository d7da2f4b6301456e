import { expect, test } from 'vitest'
import { observedCalls, observedClient } from '../../src/telemetry/call-metrics.ts'
import { Admission } from '../../src/transport/admission.ts'
import { Reservation } from '../../src/transport/reservation.ts'
import type { Client, ServerCall } from '../../src/transport/unary.ts'
import { MemoryMeter } from '../support/memory-meter.ts'

test('the size of a body is counted although it was given back before the answer', () => {
  const meter = new MemoryMeter()
  const reservation = Admission.unbounded().begin(false)
  if (!(reservation instanceof Reservation)) throw new Error(reservation.message)
  reservation.take(321)
  const call = {
    head: { protocol: 'http', signal: 'traces', peer: '127.0.0.1:1' },
    reservation,
    get body() {
      return reservation.body
    },
    ok() {},
  } as unknown as ServerCall
  const observed = observedCalls(meter, 'http')!(call)
  reservation.release()
  observed.ok()
  expect(meter.total('http.server.request.body.size_sum')).toBe(321)
})

test('credentials in an endpoint are no label', async () => {
  const meter = new MemoryMeter()
  const client: Client = { call: async () => ({ ok: true, response: new Uint8Array(0) }), close: async () => {} }
  const observed = observedClient(client, meter, 'http', 'https://me:hunter2@backend:4318/v1/traces')
  await observed.call('traces', [], { timeoutMs: 0 })
  const series = Object.keys(meter.series).filter((name) => name.startsWith('http.client.request.duration_count'))
  expect(series).toHaveLength(1)
  expect(series[0]).toContain('server.address=backend,server.port=4318,')
})

test('statuses that a peer makes up share a series, once there are many', async () => {
  const meter = new MemoryMeter()
  let httpStatus = 100
  const status = { code: 2, message: '' }
  const client: Client = { call: async () => ({ ok: false, status, httpStatus: httpStatus++ }), close: async () => {} }
  const observed = observedClient(client, meter, 'http', 'http://backend:4318')
  for (let i = 0; i < 300; i++) await observed.call('traces', [], { timeoutMs: 0 })
  const counts = Object.entries(meter.series).filter(([name]) => name.startsWith('http.client.request.duration_count'))
  expect(counts).toHaveLength(65)
  expect(counts.find(([name]) => name.includes('status_code=_OTHER'))?.[1]).toBe(300 - 64)
})
