import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { BatchProcessor } from '../../../processors/batch/processor.ts'
import { systemClock } from '../../../src/clock.ts'
import { ack, type Consumer, type Delivery, deliver } from '../../../src/component/delivery.ts'
import { testContext } from '../../support/context.ts'
import { opaqueBatch } from '../../support/deliveries.ts'

const REQUESTS = 100
const ROUNDS = 5
/** 512 spans of 640 bytes. */
const BODY = new Uint8Array(512 * 640)

/*
 * Against the wall clock: a peer behind a loopback socket in this process that answers each body when it has it whole, with
 * no transport and no other component around, so that the share of time that `batch` takes is larger than in any pipeline.
 * Medians, of the best of interleaved rounds: other processes of the machine come and go.
 */
it('leaves a sender with one request in flight at least half of the throughput that it has without batch', async () => {
  const server = createServer({ noDelay: true }, (socket) => {
    let received = 0
    socket.on('data', (bytes) => {
      received += bytes.length
      if (received < BODY.length) return
      received -= BODY.length
      socket.write('x')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const waiting: Delivery[] = []
  socket.on('data', () => ack(waiting.shift()!))
  const peer: Consumer = {
    acknowledges: 'delivered',
    consume(delivery) {
      waiting.push(delivery)
      socket.write(BODY)
    },
  }
  const settings = { timeoutMs: 200, triggerItems: 8192, maxItems: Infinity, metadataKeys: [], maxShards: 1 }
  const batched = new BatchProcessor(settings, { ...testContext({ id: 'batch' }), clock: systemClock }, peer)
  const times = { alone: Infinity, batched: Infinity }
  for (let round = 0; round < ROUNDS; round++) {
    times.alone = Math.min(times.alone, await run(peer))
    times.batched = Math.min(times.batched, await run(batched))
  }
  await batched.stop({ remaining: () => 0, signal: AbortSignal.abort() })
  socket.destroy()
  server.close()
  expect(times.alone / times.batched).toBeGreaterThanOrEqual(0.5)
})

/** The median time of a request of 512 items, each sent when the one before was answered. */
async function run(consumer: Consumer): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < REQUESTS; i++) {
    const start = performance.now()
    await new Promise<void>((resolve) => {
      consumer.consume(deliver(opaqueBatch(512), { settled: () => resolve() }))
    })
    times.push(performance.now() - start)
  }
  return times.toSorted((a, b) => a - b)[REQUESTS / 2]!
}
