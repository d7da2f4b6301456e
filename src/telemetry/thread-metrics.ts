import {
  constants,
  type EventLoopUtilization,
  monitorEventLoopDelay,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { arenas } from '../otlp/arena.ts'
import { SHORT_SECONDS } from './boundaries.ts'
import type { Counter, Gauge, Histogram, Meter } from './meter.ts'

/** How often a thread looks at itself: what is pulled is so old at most. */
const REFRESH_MS = 2000

/**
 * How finely stalls of the event loop are seen. Every look wakes the thread: 10 a second are less than a hundredth of a percent of
 * a core.
 */
const LOOP_RESOLUTION_MS = 100

const GC_KINDS: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weak_callbacks'],
])

/** One thread's own figures: event loop, CPU, memory. `stop` ends its timer. */
export function threadMetrics(meter: Meter, thread: string): { stop(): void } {
  if (!meter.enabled('basic')) return { stop() {} }
  const figures = new ThreadFigures(meter, thread)
  figures.refresh()
  const timer = setInterval(() => figures.refresh(), REFRESH_MS)
  timer.unref()
  const gc = meter.enabled('detailed') ? observeCollections(meter, thread) : undefined
  return {
    stop() {
      clearInterval(timer)
      figures.stop()
      gc?.disconnect()
    },
  }
}

class ThreadFigures {
  readonly #delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  readonly #quantiles: readonly (readonly [percentile: number, gauge: Gauge])[]
  readonly #utilization: Gauge
  readonly #cpu: Counter
  readonly #heap: readonly (readonly [gauge: Gauge, read: (heap: ReturnType<typeof getHeapStatistics>) => number])[]
  readonly #buffers: Gauge
  readonly #external: Gauge
  readonly #idle: Gauge
  readonly #held: Gauge
  readonly #allocated: Counter
  #loop: EventLoopUtilization = performance.eventLoopUtilization()
  #cpuBefore = 0
  #usedBefore = 0

  constructor(meter: Meter, thread: string) {
    const gauge = (name: string, description: string, unit: string, more: Record<string, string> = {}): Gauge =>
      meter.gauge(name, { thread, ...more }, { description, unit })
    const delay = (quantile: string): Gauge =>
      gauge(
        'sluice_event_loop_delay',
        'Seconds by which the event loop was late, over the last two seconds: quantiles.',
        's',
        { quantile },
      )
    this.#quantiles = [
      [50, delay('0.5')],
      [99, delay('0.99')],
      [100, delay('1')],
    ]
    this.#utilization = gauge(
      'sluice_event_loop_utilization',
      'Share of the last two seconds that the event loop was busy.',
      '1',
    )
    this.#cpu = meter.counter(
      'sluice_thread_cpu_seconds',
      { thread },
      { description: 'CPU time of the thread.', unit: 's' },
    )
    this.#heap = [
      [
        gauge('sluice_thread_heap_used_bytes', 'Bytes of live and dead objects in the heap of the thread.', 'By'),
        (heap) => heap.used_heap_size,
      ],
      [
        gauge('sluice_thread_heap_total_bytes', 'Bytes that the heap of the thread takes.', 'By'),
        (heap) => heap.total_heap_size,
      ],
      [
        gauge('sluice_thread_heap_limit_bytes', 'Bytes that the heap of the thread may take.', 'By'),
        (heap) => heap.heap_size_limit,
      ],
      [
        gauge('sluice_thread_malloced_bytes', 'Bytes that V8 took outside the heap of the thread.', 'By'),
        (heap) => heap.malloced_memory,
      ],
    ]
    this.#buffers = gauge('sluice_thread_array_buffers_bytes', 'Bytes in buffers of the thread.', 'By')
    this.#external = gauge(
      'sluice_thread_external_bytes',
      'Bytes outside the heap that objects of the thread hold.',
      'By',
    )
    this.#idle = gauge('sluice_arena_idle_bytes', 'Bytes of pooled memory that lie unused.', 'By')
    this.#held = gauge('sluice_arena_held', 'Pieces of pooled memory in use.', '{arenas}')
    this.#allocated = meter.counter(
      'otelcol_process_runtime_total_alloc_bytes',
      {},
      {
        description: 'Bytes allocated for heap objects, as far as growth between two looks tells: a lower bound.',
        unit: 'By',
      },
    )
    this.#delay.enable()
  }

  refresh(): void {
    const delay = this.#delay
    for (const [percentile, gauge] of this.#quantiles) {
      // What is measured is from one look to the next, the distance of looks included.
      const ns = delay.count === 0 ? 0 : delay.percentile(percentile)
      gauge.set(Math.max(0, ns / 1e9 - LOOP_RESOLUTION_MS / 1000))
    }
    delay.reset()
    const loop = performance.eventLoopUtilization()
    this.#utilization.set(performance.eventLoopUtilization(loop, this.#loop).utilization)
    this.#loop = loop
    const { user, system } = process.threadCpuUsage()
    this.#cpu.add((user + system) / 1e6 - this.#cpuBefore)
    this.#cpuBefore = (user + system) / 1e6
    const heap = getHeapStatistics()
    for (const [gauge, read] of this.#heap) gauge.set(read(heap))
    this.#allocated.add(Math.max(0, heap.used_heap_size - this.#usedBefore))
    this.#usedBefore = heap.used_heap_size
    const { arrayBuffers, external } = process.memoryUsage()
    this.#buffers.set(arrayBuffers)
    this.#external.set(external)
    this.#idle.set(arenas.idleBytes)
    this.#held.set(arenas.held)
  }

  stop(): void {
    this.#delay.disable()
  }
}

/** Costs a callback for every collection, so at level `detailed` only. */
function observeCollections(meter: Meter, thread: string): PerformanceObserver {
  const series = new Map<string, Histogram>()
  for (const kind of GC_KINDS.values()) {
    const labels = { thread, kind }
    series.set(
      kind,
      meter.histogram('sluice_gc_duration', labels, {
        description: 'Seconds that garbage collections stopped the thread.',
        unit: 's',
        level: 'detailed',
        boundaries: SHORT_SECONDS,
      }),
    )
  }
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as unknown as { readonly detail: { readonly kind: number } }).detail
      series.get(GC_KINDS.get(kind) ?? '')?.record(entry.duration / 1000)
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  return observer
}
