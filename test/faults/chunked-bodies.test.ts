// More bodies of unknown length at once than there is room for, each a piece at a time: were all of them to wait for room, or all
// refused, none would ever be whole. What this does not show: fairness, only that one always comes through.
import * as net from 'node:net'
import { expect, test } from 'vitest'
import { ack, type Delivery } from '../../src/component/delivery.ts'
import { Admission } from '../../src/transport/admission.ts'
import { CALL_BYTES, Reservation } from '../../src/transport/reservation.ts'
import { writeProtobufjs } from '../otlp/support/oracles.ts'
import { cleanups, running } from '../receivers/otlp/support/running.ts'

const KIB = 1024
const MIB = 1024 * KIB
const CLIENTS = 12
const PIECE = 64 * KIB

/** A span with an attribute of 3 MiB. */
const BODY = (() => {
  const attributes = [{ key: 'payload', value: { stringValue: 'x'.repeat(3 * MIB) } }]
  const span = { traceId: new Uint8Array(16).fill(1), spanId: new Uint8Array(8).fill(1), name: 'work', attributes }
  return writeProtobufjs('traces', { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })
})()

/** Sends the body in chunks, a turn of the event loop between two; resolves with the status. */
async function send(address: string): Promise<number> {
  const socket = net.connect(Number(address.slice(address.lastIndexOf(':') + 1)), '127.0.0.1')
  cleanups.push(() => socket.destroy())
  let seen = ''
  socket.on('data', (part) => {
    seen += part.toString('latin1')
  })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', () => {})
  socket.write(
    'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n',
  )
  for (let at = 0; at < BODY.length && seen === ''; at += PIECE) {
    const piece = BODY.subarray(at, at + PIECE)
    socket.write(`${piece.length.toString(16)}\r\n`)
    socket.write(piece)
    if (!socket.write('\r\n')) await new Promise((resolve) => socket.once('drain', resolve).once('close', resolve))
    await new Promise((resolve) => setImmediate(resolve))
  }
  socket.write('0\r\n\r\n')
  await closed
  return Number(/^HTTP\/1\.1 (\d+) /.exec(seen)?.[1] ?? 0)
}

test('all come through by sending again, one at least each time', async () => {
  // Six MiB for requests, of which a queue holds three: no body has the 4 MiB of room that it needs at its end, since room
  // doubles, but for the oldest, which may go past the limit.
  const admission = new Admission(Admission.memory(8 * MIB))
  const queued = admission.begin(false)
  if (!(queued instanceof Reservation)) throw new Error(queued.message)
  expect(queued.take(3 * MIB)).toBeUndefined()
  const { http, sink } = await running({ admission, grpc: false, http: { max_request_body_size: 4 * MIB } })
  // Everything that arrives is settled at once.
  sink.consume = (delivery: Delivery) => ack(delivery)
  let waiting = CLIENTS
  let rounds = 0
  let refused = 0
  while (waiting > 0) {
    const statuses = await Promise.all(Array.from({ length: waiting }, () => send(http)))
    const served = statuses.filter((status) => status === 200).length
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([])
    expect(served).toBeGreaterThan(0)
    refused += waiting - served
    waiting -= served
    rounds++
  }
  expect(rounds).toBeLessThanOrEqual(CLIENTS)
  expect(refused).toBeGreaterThan(0)
  expect(admission.peak).toBeLessThanOrEqual(admission.limit + 4 * MIB + CALL_BYTES)
  queued.release()
  expect(admission.reserved).toBe(0)
}, 30_000)
