import { expect, onTestFinished, test } from 'vitest'
import { threadMetrics } from '../../src/telemetry/thread-metrics.ts'
import { MemoryMeter } from '../support/memory-meter.ts'

test('a thread tells its memory and CPU at once, by name', () => {
  const meter = new MemoryMeter()
  const figures = threadMetrics(meter, 'lane-7')
  onTestFinished(() => figures.stop())
  const labels = { thread: 'lane-7' }
  const used = meter.value('sluice_thread_heap_used_bytes', labels)!
  const total = meter.value('sluice_thread_heap_total_bytes', labels)!
  expect(used).toBeGreaterThan(0)
  expect(total).toBeGreaterThanOrEqual(used)
  expect(meter.value('sluice_thread_heap_limit_bytes', labels)).toBeGreaterThan(total)
  expect(meter.value('sluice_thread_cpu_seconds', labels)).toBeGreaterThan(0)
  expect(meter.value('sluice_event_loop_delay', { ...labels, quantile: '0.99' })).toBeGreaterThanOrEqual(0)
})

test('at level none nothing is watched', () => {
  const meter = new MemoryMeter()
  meter.enabled = () => false
  threadMetrics(meter, 'main').stop()
  expect(meter.series).toEqual({})
})
