// Clients break off at every place of a request while others are served. What this does not prove: what they do next (each
// SDK has its own retry), and that a machine's memory is enough (half-sent requests are booked; other tests show that).
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import * as http2 from 'node:http2'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { messagePrefix } from '../../src/transport/grpc-message.ts'
import { GRPC_PATHS } from '../../src/transport/otlp-services.ts'
import { writeProtobufjs } from '../otlp/support/oracles.ts'
import { startBackend } from '../support/backend.ts'
import { exportGrpc } from '../support/grpc-client.ts'
import { endAll, eventually, startSluice } from '../support/sluice.ts'

const SPANS = 3
const GOOD = 20
const BROKEN = 20

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-faults-'))
})
afterEach(endAll)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const span = { traceId: new Uint8Array(16).fill(7), spanId: new Uint8Array(8).fill(1), name: 'x'.repeat(2000) }
const BODY = writeProtobufjs('traces', {
  resourceSpans: [{ scopeSpans: [{ spans: Array.from({ length: SPANS }, () => span) }] }],
})

/** Sends `share` of a request over HTTP and resets the connection. */
async function breaksOffHttp(address: string, share: number): Promise<void> {
  const socket = connect(Number(address.split(':').at(-1)), '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  const head = `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: ${BODY.length}\r\n\r\n`
  const whole = Buffer.concat([Buffer.from(head), BODY])
  await new Promise((resolve) => socket.write(whole.subarray(0, Math.ceil(whole.length * share)), resolve))
  socket.resetAndDestroy()
}

/** The same over gRPC; `stream` resets the call alone. */
async function breaksOffGrpc(address: string, share: number, stream: boolean): Promise<void> {
  const session = http2.connect(`http://${address}`)
  session.on('error', () => {})
  const call = session.request({
    ':method': 'POST',
    ':path': GRPC_PATHS.traces,
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  call.on('error', () => {})
  const whole = Buffer.concat([messagePrefix(BODY.length, false), BODY])
  const part = whole.subarray(0, Math.ceil(whole.length * share))
  if (share === 1) call.end(part)
  else await new Promise((resolve) => call.write(part, resolve))
  await new Promise((resolve) => setTimeout(resolve, 5))
  if (stream) {
    call.close(http2.constants.NGHTTP2_CANCEL)
    session.close()
  } else session.destroy()
}

test.each(['true', 'false'])('the books close, and who did not break off is served (queue: %s)', async (queue) => {
  const backend = await startBackend()
  const file = join(folder, `queue-${queue}.yaml`)
  writeFileSync(
    file,
    `
receivers:
  otlp: {protocols: {grpc: {endpoint: 127.0.0.1:0}, http: {endpoint: 127.0.0.1:0}}}
exporters:
  otlp_grpc: {endpoint: ${backend.grpc}, tls: {insecure: true}, sending_queue: {enabled: ${queue}}}
service:
  # Of several lanes, one with too many connections asks some to go, and a call that it has not begun is refused for its client to send again.
  lanes: 1
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp], exporters: [otlp_grpc]}}
`,
  )
  const sluice = await startSluice(['run', file])
  const grpc = sluice.address('receiver otlp', 'grpc')
  const http = sluice.address('receiver otlp', 'http')

  const good = Array.from({ length: GOOD }, async (_, index) => {
    await new Promise((resolve) => setTimeout(resolve, index * 5))
    if (index % 2 === 0) return await exportGrpc(grpc, 'traces', BODY)
    const headers = { 'content-type': 'application/x-protobuf' }
    const response = await fetch(`http://${http}/v1/traces`, { method: 'POST', headers, body: Buffer.from(BODY) })
    expect(response.status).toBe(200)
  })
  // From the first byte to the whole request, whose client does not wait for the answer.
  const broken = Array.from({ length: BROKEN }, async (_, index) => {
    const share = (index + 1) / BROKEN
    await breaksOffHttp(http, share)
    await breaksOffGrpc(grpc, share, index % 2 === 0)
  })
  await Promise.all([...good, ...broken])

  const arrived = (): number => backend.received.length
  await eventually('what was acknowledged has arrived', () => (arrived() >= GOOD ? true : undefined))
  expect(await sluice.stop()).toBe(0)
  await backend.stop()

  const line = /^\{.*"msg":"ledger"\}$/m.exec(sluice.output())
  const [books] = (JSON.parse(line![0]) as { ledger: Record<string, unknown>[] }).ledger
  const { accepted, sent, failed, held } = books as {
    accepted: number
    sent: number
    failed: Record<string, number>
    held: number
  }
  const lost = Object.values(failed).reduce((sum, items) => sum + items, 0)
  expect(held).toBe(0)
  expect(accepted).toBe(sent + lost)
  expect(sent).toBe(arrived() * SPANS)
  // Nobody but a client that went away fails here, and at most the two of each kind that sent all.
  expect(Object.keys(failed).filter((reason) => reason !== 'client_gone')).toEqual([])
  expect(accepted).toBeGreaterThanOrEqual(GOOD * SPANS)
  expect(accepted).toBeLessThanOrEqual((GOOD + 2) * SPANS)
  expect(sluice.output()).not.toMatch(/"level":(50|60|"error"|"fatal")/)
})
