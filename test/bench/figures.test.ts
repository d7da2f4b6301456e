import { expect, test } from 'vitest'
import { CASES } from '../../bench/cases.ts'
import type { Load } from '../../bench/load/protocol.ts'
import { heapAllocated } from '../../bench/measure/heap.ts'
import { growthOf } from '../../bench/measure/soak.ts'
import { request } from '../../bench/payload/payload.ts'
import { show, spread } from '../../bench/report/statistics.ts'
import { validate } from '../../src/otlp/validate.ts'

test('a spread is the median between the least and the most', () => {
  expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 })
  expect(spread([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 })
  expect(show(spread([1.26, 1, 2]), 1)).toBe('1.3 (1.0–2.0)')
})

test('heap allocated is what grew between collections, over all threads', () => {
  const output = [
    '[7:0xaa]      100 ms: Scavenge 9.0 (10.0) -> 5.0 (10.0) MB, pooled: 0 MB, 0.98 / 0.00 ms  (average mu = 1.000) allocation failure;',
    '{"level":"info","msg":"a line of the engine"}',
    '[7:0xaa]      200 ms: Scavenge 15.0 (20.0) -> 6.0 (20.0) MB, pooled: 0 MB, 1.00 / 0.00 ms  (average mu = 1.000) allocation failure;',
    '[7:0xbb]      150 ms: Scavenge 3.0 (4.0) -> 2.0 (4.0) MB, pooled: 0 MB, 1.00 / 0.00 ms  (average mu = 1.000) allocation failure;',
    '[7:0xaa]      300 ms: Mark-Compact (reduce) 16.0 (20.0) -> 4.0 (9.0) MB, pooled: 0 MB, 3.00 / 0.00 ms  (average mu = 1.000) task;',
  ].join('\n')
  // 10 MB and 10 MB in 200 ms; the other thread collected only once.
  expect(heapAllocated(output)?.bytesPerMs).toBeCloseTo((20 * 1024 * 1024) / 200)
  // Nothing collected twice is no measurement, and not zero bytes.
  expect(heapAllocated(output.slice(0, output.indexOf('\n')))).toBeUndefined()
})

test('requests are valid, of the size they claim, and the same for the same seed', () => {
  const loads = CASES.flatMap((spec) => (spec.kind === 'allocation' ? spec.loads : 'load' in spec ? [spec.load] : []))
  // Cases differ in more than their payload.
  const shapes = new Map<string, Load>()
  for (const load of loads) shapes.set([load.signal, load.items, load.itemBytes, load.resources].join(), load)
  for (const load of shapes.values()) {
    const made = request(load, 1)
    expect(validate(load.signal, made)).toBe(load.items)
    const resources = (load.resources ?? 5) * 300
    expect(Math.abs((made.length - resources) / load.items / load.itemBytes - 1)).toBeLessThan(
      load.items < 100 ? 0.1 : 0.06,
    )
    expect(request(load, 1)).toEqual(made)
    expect(request(load, 2)).not.toEqual(made)
  }
})

test('heap allocated by Go is what grew between collections', () => {
  const output = [
    'gc 1 @0.100s 2%: 0.018+1.2+0.003 ms clock, 0.018+0/0.4/0+0.003 ms cpu, 10->12->4 MB, 12 MB goal, 0 MB stacks, 0 MB globals, 1 P',
    '2026-11-21T19:44:22Z INFO a line of the engine',
    'gc 2 @0.300s 2%: 0.018+1.2+0.003 ms clock, 0.018+0/0.4/0+0.003 ms cpu, 24->25->6 MB, 26 MB goal, 0 MB stacks, 0 MB globals, 1 P',
  ].join('\n')
  expect(heapAllocated(output)?.bytesPerMs).toBeCloseTo((20 * 1024 * 1024) / 200)
})

test('growth is the last quarter of the samples over the second', () => {
  expect(growthOf([50, 90, 100, 100, 100, 100, 120, 120])).toBeCloseTo(1.2)
  expect(growthOf([100])).toBe(1)
})
