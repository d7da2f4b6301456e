// What the meters of several lanes come to. What this does not show: who tells it, and how (exposition.test.ts, console.test.ts).
import { expect, test } from 'vitest'
import { heapsOf } from '../../src/admin/process-readings.ts'
import { MeterRegistry } from '../../src/telemetry/registry.ts'
import { SharedMeter } from '../../src/telemetry/shared-meter.ts'

function lanes(registry: MeterRegistry, count: number): { meter: SharedMeter; memory: SharedArrayBuffer }[] {
  return Array.from({ length: count }, () => {
    const memory = SharedMeter.memory()
    return { memory, meter: new SharedMeter(memory, registry.attach(memory)) }
  })
}

function values(registry: MeterRegistry): Record<string, unknown> {
  return Object.fromEntries(
    registry
      .read()
      .map((reading) => [reading.name, reading.kind === 'histogram' ? reading.value.count : reading.value]),
  )
}

const about = { description: 'For this test.' }

/** One of each kind in every lane, with 1 in the first, 2 in the second and so on. */
function fill(all: readonly { readonly meter: SharedMeter }[]): void {
  all.forEach(({ meter }, i) => {
    meter.counter('counted', {}, about).add(i + 1)
    meter.upDownCounter('open', {}, about).add(i + 1)
    meter.gauge('amount', {}, about).set(i + 1)
    meter.gauge('healthy', {}, { ...about, across: 'least' }).set(i + 1)
    meter.gauge('limit', {}, { ...about, across: 'most' }).set(i + 1)
    const sizes = meter.histogram('sizes', {}, { ...about, boundaries: [10] })
    for (let n = 0; n <= i; n++) sizes.record(5)
  })
}

test('amounts of lanes add up, and what each tells of the same thing does not', () => {
  const registry = new MeterRegistry()
  fill(lanes(registry, 3))
  expect(values(registry)).toEqual({ amount: 6, counted: 6, healthy: 1, limit: 3, open: 6, sizes: 6 })
})

test('a lane that has ended leaves what it counted and takes along what it had', () => {
  const registry = new MeterRegistry()
  const all = lanes(registry, 3)
  fill(all)
  const last = registry.retire(all[0]!.memory)
  expect(last.map(({ name }) => name)).toEqual(['counted', 'open', 'amount', 'healthy', 'limit', 'sizes'])
  expect(values(registry)).toEqual({ amount: 5, counted: 6, healthy: 2, limit: 3, open: 5, sizes: 6 })
  registry.retire(all[2]!.memory)
  expect(values(registry)).toEqual({ amount: 2, counted: 6, healthy: 2, limit: 2, open: 2, sizes: 6 })
  expect(registry.retire(all[2]!.memory)).toEqual([])
  registry.retire(all[1]!.memory)
  expect(values(registry)).toEqual({ counted: 6, sizes: 6 })
})

test('many that have ended are remembered by name, not by lane', () => {
  const registry = new MeterRegistry()
  for (let i = 0; i < 100; i++) {
    const [lane] = lanes(registry, 1)
    fill([lane!])
    registry.retire(lane!.memory)
  }
  expect(values(registry)).toEqual({ counted: 100, sizes: 100 })
})

test('what threads tell of themselves is summed where the process is asked', () => {
  const registry = new MeterRegistry()
  const all = lanes(registry, 2)
  expect(heapsOf(registry).used).toBeGreaterThan(1_000_000)
  all.forEach(({ meter }, i) => {
    const of = (name: string, bytes: number) => meter.gauge(name, { thread: `lane-${i + 1}` }, about).set(bytes)
    of('sluice_thread_heap_used_bytes', 10 + i)
    of('sluice_thread_heap_total_bytes', 100 + i)
    of('sluice_thread_external_bytes', 1000 + i)
  })
  expect(heapsOf(registry)).toEqual({ used: 21, reserved: 2202 })
  registry.retire(all[0]!.memory)
  expect(heapsOf(registry)).toEqual({ used: 11, reserved: 1102 })
})
