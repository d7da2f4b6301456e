import { expect, test } from 'vitest'
import { ack, type Consumer, nack } from '../../src/component/delivery.ts'
import { COMPONENT_ERROR, receiverOutput } from '../../src/graph/edges.ts'
import { measured } from '../../src/graph/measured.ts'
import { makeBatch } from '../../src/otlp/batch.ts'
import { opaqueBatch, Sink, track } from '../support/deliveries.ts'
import { MemoryMeter } from '../support/memory-meter.ts'

const busy = (ms: number): void => {
  for (const end = performance.now() + ms; performance.now() < end; );
}

test('what goes in and comes out of a processor is counted, and its work without what lies behind', () => {
  const meter = new MemoryMeter()
  const behind: Consumer = {
    acknowledges: 'delivered',
    consume(delivery) {
      busy(20)
      ack(delivery)
    },
  }
  const figures = measured('halve', 'traces', meter, behind)
  const half: Consumer = {
    acknowledges: 'delivered',
    consume(delivery) {
      busy(2)
      figures.next.consume(track({ ...delivery.batch, items: delivery.batch.items / 2 }).delivery)
      ack(delivery)
    },
  }
  figures.around(half).consume(track(opaqueBatch(10)).delivery)
  const labels = { processor: 'halve', 'otel.signal': 'traces' }
  expect(meter.value('otelcol_processor_incoming_items', labels)).toBe(10)
  expect(meter.value('otelcol_processor_outgoing_items', labels)).toBe(5)
  const [seconds, ...more] = meter.recorded('otelcol_processor_internal_duration', labels)
  expect(more).toEqual([])
  // Its own 2 ms are in it. What is not: the 20 ms of those behind, which a slow machine can only make longer.
  expect(seconds).toBeGreaterThanOrEqual(0.002)
})

test('requests are told apart by what their clients were told', () => {
  const meter = new MemoryMeter()
  const sink = new Sink('delivered')
  const output = receiverOutput('otlp', 'logs', meter, sink)
  const send = (items: number): void => {
    const { signal, chunks } = opaqueBatch(items, 'logs')
    output.consume(track(makeBatch(signal, chunks, items, { arrivedAt: 0, transport: 'grpc' })).delivery)
  }
  send(1)
  ack(sink.last)
  send(2)
  nack(sink.last, { verdict: 'retry', reason: 'queue_full', message: '' })
  send(4)
  nack(sink.last, { verdict: 'reject', reason: COMPONENT_ERROR, message: '' })
  const series = 'receiver=otlp,transport=grpc}'
  const requests = (outcome: string): string =>
    `otelcol_receiver_requests{otel.signal=logs,outcome=${outcome},receiver=otlp,transport=grpc}`
  expect(meter.series).toEqual({
    [`otelcol_receiver_accepted_log_records{${series}`]: 1,
    [`otelcol_receiver_refused_log_records{${series}`]: 2,
    [`otelcol_receiver_failed_log_records{${series}`]: 4,
    [requests('success')]: 1,
    [requests('refused')]: 1,
    [requests('failure')]: 1,
  })
})
