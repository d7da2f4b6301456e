import { totalmem } from 'node:os'
import { cgroupMemoryLimit } from './cgroup.ts'

/** Bytes that this process may use: the machine's memory, or the cgroup's limit where that is lower. */
export function availableMemory(machine = totalmem(), cgroup = cgroupMemoryLimit()): number {
  return Math.min(machine, cgroup ?? machine)
}
