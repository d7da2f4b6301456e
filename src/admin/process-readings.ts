import { readdirSync } from 'node:fs'
import type { NumberReading, Reading } from '../telemetry/registry.ts'

/**
 * The process's own figures: those of the Collector under its names, and what only Node knows. `files`: how many are open;
 * undefined where the operating system does not tell.
 */
export function processReadings(files = openFiles()): Reading[] {
  const memory = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  const used = process.resourceUsage()
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
