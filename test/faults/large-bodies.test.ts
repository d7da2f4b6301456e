// Bodies of 30 MiB, and small ones that become large: what they may take is booked first, so that the book-keeping's own peak bounds them.
// What this does not show: every coding's decoder (test/transport/codecs).
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { ack } from '../../src/component/delivery.ts'
import { Admission } from '../../src/transport/admission.ts'
import { CALL_BYTES, Reservation } from '../../src/transport/reservation.ts'
import { writeProtobufjs } from '../otlp/support/oracles.ts'
import { postRaw } from '../receivers/otlp/support/raw-clients.ts'
import { arrived, cleanups, running } from '../receivers/otlp/support/running.ts'
import { type JsClient, jsClient } from '../transport/support/grpc-peers.ts'

const KIB = 1024
const MIB = 1024 * KIB

function client(...args: Parameters<typeof jsClient>): JsClient {
  const made = jsClient(...args)
  cleanups.push(() => made.close())
  return made
}

/** One span with an attribute of `length` bytes. */
function large(length: number): Uint8Array {
  const attributes = [{ key: 'payload', value: { stringValue: 'x'.repeat(length) } }]
  const span = { traceId: new Uint8Array(16).fill(1), spanId: new Uint8Array(8).fill(1), name: 'work', attributes }
  return writeProtobufjs('traces', { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })
}

/** Whole KiB, as the budget counts. */
function booked(bytes: number): number {
  return Math.ceil(bytes / KIB) * KIB
}

describe('30 MiB', () => {
  const body = large(30 * MIB)

  test.each(['http', 'grpc'])('over %s: passes where it may, is booked until its delivery has settled', async (by) => {
    const admission = new Admission(Admission.memory(64 * MIB))
    const receiver = await running({
      admission,
      http: { max_request_body_size: 32 * MIB },
      grpc: { max_recv_msg_size_mib: 32 },
      acknowledge: 'delivered',
    })
    const answer =
      by === 'http'
        ? postRaw(receiver.http, body).then(({ status }) => status)
        : client(receiver.grpc)
            .call(body)
            .then(({ error }) => (error === undefined ? 200 : error.code))
    await arrived(receiver.sink)
    expect(Buffer.compare(receiver.sink.last.batch.chunks[0]!, body)).toBe(0)
    expect(admission.reserved).toBe(booked(body.length + CALL_BYTES))
    ack(receiver.sink.last)
    expect(await answer).toBe(200)
    expect(admission.reserved).toBe(0)
  })

  test('over HTTP in chunks, when nobody knows how many', async () => {
    const admission = new Admission(Admission.memory(64 * MIB))
    const receiver = await running({ admission, http: { max_request_body_size: 32 * MIB } })
    const answer = fetch(`http://${receiver.http}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: new Blob([body]).stream(),
      duplex: 'half',
    } as RequestInit)
    await arrived(receiver.sink)
    expect(Buffer.compare(receiver.sink.last.batch.chunks[0]!, body)).toBe(0)
    // Room doubles, to the limit of a body.
    expect(admission.reserved).toBeGreaterThanOrEqual(booked(body.length + CALL_BYTES))
    expect(admission.reserved).toBeLessThanOrEqual(32 * MIB + CALL_BYTES)
    ack(receiver.sink.last)
    expect((await answer).status).toBe(200)
    expect(admission.reserved).toBe(0)
  })

  test('over the limit: refused by its length, before anything is booked for it', async () => {
    const admission = new Admission(Admission.memory(64 * MIB))
    const receiver = await running({ admission })
    expect((await postRaw(receiver.http, body)).status).toBe(413)
    expect((await client(receiver.grpc).call(body)).error!.code).toBe(8)
    expect(admission.peak).toBe(CALL_BYTES)
    expect(admission.reserved).toBe(0)
    expect(receiver.ctx.meter.total('sluice_receiver_refused_requests')).toBe(2)
  })

  test('over the whole budget: refused for good, with what to change', async () => {
    const receiver = await running({
      admission: new Admission(Admission.memory(32 * MIB)),
      grpc: { max_recv_msg_size_mib: 32 },
    })
    const { error } = await client(receiver.grpc).call(body)
    expect([error!.code, error!.metadata.get('grpc-status-details-bin')]).toEqual([8, []])
    expect(error!.details).toContain('raise service.admission')
    const more = await running({
      admission: new Admission(Admission.memory(32 * MIB)),
      http: { max_request_body_size: 32 * MIB },
    })
    expect((await postRaw(more.http, body)).status).toBe(413)
  })
})

describe('a bomb', () => {
  const zeros = new Uint8Array(64 * MIB)
  const BOMBS = { gzip: gzipSync(zeros, { level: 9 }), zstd: zstdCompressSync(zeros) }

  test.each(Object.entries(BOMBS))('of %s over HTTP, 64 MiB, is stopped at the limit of 20', async (coding, bomb) => {
    expect(bomb.length).toBeLessThan(zeros.length / 1000)
    const admission = new Admission(Admission.memory(256 * MIB))
    const receiver = await running({ admission })
    const answer = await postRaw(receiver.http, bomb, { headers: { 'Content-Encoding': coding } })
    expect(answer.status).toBe(413)
    expect(admission.peak).toBeLessThanOrEqual(booked(CALL_BYTES + bomb.length + 20 * MIB))
    expect(admission.reserved).toBe(0)
  })

  test('of gzip over gRPC is stopped at the limit of 4 MiB', async () => {
    const admission = new Admission(Admission.memory(256 * MIB))
    const receiver = await running({ admission })
    const { error } = await client(receiver.grpc, { gzip: true }).call(zeros)
    expect(error!.code).toBe(8)
    expect(admission.peak).toBeLessThanOrEqual(booked(CALL_BYTES + 2 * BOMBS.gzip.length + 4 * MIB))
    expect(admission.reserved).toBe(0)
  })

  test('that would be within the limit, but finds no room: refused for now, and nothing stays booked', async () => {
    const admission = new Admission(Admission.memory(64 * MIB))
    // Somebody older may go past the limit before it.
    const older = admission.begin(true)
    if (!(older instanceof Reservation)) throw new Error(older.message)
    expect(older.take(40 * MIB)).toBeUndefined()
    const before = admission.reserved
    const receiver = await running({ admission })
    const body = gzipSync(large(16 * MIB))
    const answer = await postRaw(receiver.http, body, { headers: { 'Content-Encoding': 'gzip' } })
    expect([answer.status, answer.headers['retry-after'] !== undefined]).toEqual([503, true])
    expect(admission.peak).toBeLessThanOrEqual(admission.limit)
    expect(admission.reserved).toBe(before)
    older.release()
    const again = postRaw(receiver.http, body, { headers: { 'Content-Encoding': 'gzip' } })
    await arrived(receiver.sink)
    ack(receiver.sink.last)
    expect((await again).status).toBe(200)
    expect(admission.reserved).toBe(0)
  })
})
