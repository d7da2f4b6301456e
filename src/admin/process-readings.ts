import { readdirSync } from 'node:fs'
import type { MeterRegistry, NumberReading, Reading } from '../telemetry/registry.ts'

/** Bytes of the heaps of all threads, and with the rest that they took from the operating system: V8 tells a thread of itself only. */
export interface Heaps {
  readonly used: number
  readonly reserved: number
}

/** Of this thread alone. */
function ownHeap(): Heaps {
  const { heapUsed, heapTotal, external } = process.memoryUsage()
  return { used: heapUsed, reserved: heapTotal + external }
}

/** As the threads have told of themselves last, some seconds ago at most; this one's where no thread does. */
export function heapsOf(registry: MeterRegistry): Heaps {
  const used = registry.total('sluice_thread_heap_used_bytes')
  if (used === 0) return ownHeap()
  const reserved = registry.total('sluice_thread_heap_total_bytes') + registry.total('sluice_thread_external_bytes')
  return { used, reserved }
}

/**
 * The process's own figures: those of the Collector under its names, and what only Node knows. `files`: how many are open;
 * undefined where the operating system does not tell.
 */
export function processReadings(files = openFiles(), heaps = ownHeap()): Reading[] {
  const rss = process.memoryUsage.rss()
  const { user, system } = process.cpuUsage()
  const used = process.resourceUsage()
  return [
    gauge('otelcol_process_memory_rss', 'Total physical memory (resident set size).', 'By', rss),
    gauge('otelcol_process_runtime_heap_alloc_bytes', 'Bytes of allocated heap objects.', 'By', heaps.used),
    gauge(
      'otelcol_process_runtime_total_sys_memory_bytes',
      'Bytes of memory obtained from the operating system for heap and buffers.',
      'By',
      heaps.reserved,
    ),
    counter('otelcol_process_cpu_seconds', 'Total CPU user and system time.', 's', (user + system) / 1e6),
    counter('otelcol_process_uptime', 'Uptime of the process.', 's', process.uptime()),
    gauge(
      'sluice_process_memory_rss_max',
      'The most physical memory that the process ever had.',
      'By',
      used.maxRSS * 1024,
    ),
    counter('sluice_process_page_faults', 'Page faults.', '{faults}', used.minorPageFault, { kind: 'minor' }),
    counter('sluice_process_page_faults', 'Page faults.', '{faults}', used.majorPageFault, { kind: 'major' }),
    counter('sluice_process_context_switches', 'Context switches.', '{switches}', used.voluntaryContextSwitches, {
      kind: 'voluntary',
    }),
    counter('sluice_process_context_switches', 'Context switches.', '{switches}', used.involuntaryContextSwitches, {
      kind: 'involuntary',
    }),
    counter('sluice_process_file_reads', 'Reads from disks.', '{operations}', used.fsRead),
    counter('sluice_process_file_writes', 'Writes to disks.', '{operations}', used.fsWrite),
    ...(files === undefined ? [] : [gauge('sluice_process_open_files', 'Open files and sockets.', '{files}', files)]),
    {
      ...gauge('sluice_build_info', 'Which Node runs; always 1.', '', 1),
      labels: { node: process.versions.node, v8: process.versions.v8, platform: `${process.platform}-${process.arch}` },
    },
  ]
}

/** `target_info`: who speaks, as the Collector's own endpoint has it. */
export function targetInfo(resource: Readonly<Record<string, string>>): Reading {
  return { ...gauge('target_info', 'Target metadata', '', 1), labels: resource, level: 'none' }
}

/** Undefined where the operating system does not tell. */
function openFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return undefined
  }
}

function gauge(name: string, description: string, unit: string, value: number): NumberReading {
  return { kind: 'gauge', name, labels: {}, description, unit, value }
}

function counter(
  name: string,
  description: string,
  unit: string,
  value: number,
  labels: Record<string, string> = {},
): NumberReading {
  return { kind: 'counter', name, labels, description, unit, value }
}
