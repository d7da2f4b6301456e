// Clients that all are in one lane when another comes: they are asked to connect anew until each has its share.
import { Agent, request } from 'node:http'
import { Client, credentials } from '@grpc/grpc-js'
import { afterEach, expect, test, vi } from 'vitest'
import { someBatches } from '../contract/support/data.ts'
import { exportPath } from '../support/otlp-services.ts'
import { type RunningLanes, runLanes } from './support/run-lanes.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const CONFIG = {
  receivers: { otlp: { protocols: { grpc: { endpoint: '127.0.0.1:0' }, http: { endpoint: '127.0.0.1:0' } } } },
  exporters: { nop: {} },
  service: { pipelines: { traces: { receivers: ['otlp'], exporters: ['nop'] } } },
}

/** Two lanes, one of which is away. */
async function oneOfTwo(): Promise<RunningLanes> {
  const lanes = await runLanes(CONFIG, { lanes: 2 })
  cleanups.push(() => lanes.supervisor.stop(1000))
  await lanes.supervisor.retire(1, 1000)
  return lanes
}

const [batch] = someBatches('traces', 1)
const body = Buffer.concat(batch!.chunks)

/** Sends one request after the other until the test ends; resolves with how many were answered, rejects with the first that failed. */
function keepSending(send: () => Promise<void>): () => Promise<number> {
  let going = true
  const run = async (): Promise<number> => {
    for (let answered = 0; ; answered++) {
      if (!going) return answered
      await send()
    }
  }
  const running = run()
  running.catch(() => {})
  return () => {
    going = false
    return running
  }
}

function spread({ supervisor }: RunningLanes): number[] {
  return [...supervisor.connections.values()]
}

const CLIENTS = 4

test.runIf(process.platform === 'linux')('four gRPC clients under load, without one call failing', async () => {
  const lanes = await oneOfTwo()
  const raw = (bytes: Uint8Array): Buffer => Buffer.from(bytes)
  const senders = Array.from({ length: CLIENTS }, () => {
    const options = { 'grpc.use_local_subchannel_pool': 1 }
    const client = new Client(lanes.address('receiver otlp', 'grpc'), credentials.createInsecure(), options)
    cleanups.push(() => client.close())
    return keepSending(
      () =>
        new Promise((resolve, reject) => {
          client.makeUnaryRequest(exportPath('traces'), raw, raw, body, (error) => (error ? reject(error) : resolve()))
        }),
    )
  })
  await vi.waitFor(() => expect(spread(lanes)).toEqual([4]), 5000)
  expect(await lanes.supervisor.add()).toBe(1)
  await vi.waitFor(() => expect(spread(lanes)).toEqual([2, 2]), 10_000)
  const answered = await Promise.all(senders.map((stop) => stop()))
  const items = answered.reduce((sum, count) => sum + count, 0) * batch!.items
  await vi.waitFor(() => expect(lanes.ledger()).toMatchObject([{ accepted: items, sent: items, held: 0 }]))
})

test.runIf(process.platform === 'linux')('four HTTP clients under load, without one request failing', async () => {
  const lanes = await oneOfTwo()
  const url = `http://${lanes.address('receiver otlp', 'http')}/v1/traces`
  const senders = Array.from({ length: CLIENTS }, () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    cleanups.push(() => agent.destroy())
    return keepSending(
      () =>
        new Promise((resolve, reject) => {
          const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length }
          const sent = request(url, { method: 'POST', agent, headers }, (response) => {
            response.resume()
            response.on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error('refused'))))
          })
          sent.on('error', reject)
          sent.end(body)
        }),
    )
  })
  await vi.waitFor(() => expect(spread(lanes)).toEqual([4]), 5000)
  await lanes.supervisor.add()
  await vi.waitFor(() => expect(spread(lanes)).toEqual([2, 2]), 10_000)
  const answered = await Promise.all(senders.map((stop) => stop()))
  expect(Math.min(...answered)).toBeGreaterThan(0)
})
