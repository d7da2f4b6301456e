import { MessageChannel } from 'node:worker_threads'
import { expect, onTestFinished, test } from 'vitest'
import { ack, type Delivery } from '../../src/component/delivery.ts'
import { Mesh } from '../../src/lanes/mesh.ts'
import { spreadEntrances } from '../../src/lanes/spread-entrance.ts'
import { arenas } from '../../src/otlp/arena.ts'
import { makeBatch } from '../../src/otlp/batch.ts'
import { Sink, track } from '../support/deliveries.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { MemoryMeter } from '../support/memory-meter.ts'

function setUp(sole: boolean) {
  const meter = new MemoryMeter()
  const clock = new FakeClock()
  const woken = [0, 0]
  let target = 0
  const lanes = [0, 1].map((lane) => {
    const mesh = new Mesh({ lane, lanes: 2, clock })
    const head = new Sink('admitted')
    const spreader = { share: 0.5, laneFor: () => target, wake: () => void woken[lane]!++, worked() {} }
    const entrance = spreadEntrances(mesh, spreader, meter)('traces', head, sole)
    return { mesh, head, entrance }
  })
  const [first, second] = lanes as [(typeof lanes)[0], (typeof lanes)[0]]
  const { port1, port2 } = new MessageChannel()
  first.mesh.connect(1, port1)
  second.mesh.connect(0, port2)
  onTestFinished(() => {
    first.mesh.close()
    second.mesh.close()
  })
  return {
    first,
    second,
    meter,
    woken,
    to: (lane: number): void => {
      target = lane
    },
  }
}

function arriving(): { readonly delivery: Delivery; readonly events: readonly string[]; readonly bytes: Uint8Array } {
  const bytes = arenas.take(8192)
  const batch = makeBatch('traces', [bytes], 20, { arrivedAt: 1 })
  return { ...track(batch, Infinity, () => arenas.release(bytes)), bytes }
}

test('what stays goes into the pipeline as it came', () => {
  const { first, second, meter } = setUp(true)
  const { delivery } = arriving()
  first.entrance.consume(delivery)
  expect(first.head.deliveries).toEqual([delivery])
  expect(second.head.deliveries).toEqual([])
  expect([first.entrance.acknowledges, meter.total('sluice_lane_given_batches')]).toEqual(['admitted', 0])
})

test.each([true, false])(
  "what another lane should do enters that one's pipeline, and answers come back (sole: %s)",
  async (sole) => {
    const { first, second, meter, woken, to } = setUp(sole)
    to(1)
    const { delivery, events, bytes } = arriving()
    first.entrance.consume(delivery)
    // Only where no other pipeline reads it does the memory go along.
    expect(bytes.byteLength).toBe(sole ? 0 : 8192)
    await expect.poll(() => second.head.deliveries.length).toBe(1)
    expect(first.head.deliveries).toEqual([])
    expect([woken[1], meter.total('sluice_lane_given_batches')]).toEqual([1, 1])
    second.head.last.admit()
    ack(second.head.last)
    await expect.poll(() => events).toEqual(['admitted', 'ok'])
  },
)
