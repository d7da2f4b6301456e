import type { NumberReading, Reading } from '../telemetry/registry.ts'

/** The process's own figures under the Collector's names. */
export function processReadings(): Reading[] {
  const memory = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  return [
    gauge('otelcol_process_memory_rss', 'Total physical memory (resident set size).', 'By', memory.rss),
    gauge('otelcol_process_runtime_heap_alloc_bytes', 'Bytes of allocated heap objects.', 'By', memory.heapUsed),
    gauge(
      'otelcol_process_runtime_total_sys_memory_bytes',
      'Bytes of memory obtained from the operating system for heap and buffers.',
      'By',
      memory.heapTotal + memory.external,
    ),
    counter('otelcol_process_cpu_seconds', 'Total CPU user and system time.', 's', (user + system) / 1e6),
    counter('otelcol_process_uptime', 'Uptime of the process.', 's', process.uptime()),
  ]
}

/** `target_info`: who speaks, as the Collector's own endpoint has it. */
export function targetInfo(resource: Readonly<Record<string, string>>): Reading {
  return { ...gauge('target_info', 'Target metadata', '', 1), labels: resource, level: 'none' }
}

function gauge(name: string, description: string, unit: string, value: number): NumberReading {
  return { kind: 'gauge', name, labels: {}, description, unit, value }
}

function counter(name: string, description: string, unit: string, value: number): NumberReading {
  return { kind: 'counter', name, labels: {}, description, unit, value }
}
