import { readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100
const PAGE = 4096
const MIB = 1024 * 1024

/** CPU time of a process, user and system, all threads, in µs; resolution a tick of 10 ms. */
export function cpuMicros(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / TICKS_PER_SECOND
}

/** Resident memory of a process now. */
export function rssMib(pid: number): number {
  return (Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE) / MIB
}

/** The most resident memory that a process has had, by the kernel's own book. */
export function peakRssMib(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) / 1024
}
