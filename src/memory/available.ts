import { totalmem } from 'node:os'

/**
 * Bytes that this process may use: the machine's memory, or the cgroup's limit (v1 and v2, the least of its ancestors') where that is
 * lower. Both parameters are there for tests: without a limit the cgroup's figure is 0 or far above any machine's.
 */
export function availableMemory(machine = totalmem(), cgroup = process.constrainedMemory()): number {
  return cgroup > 0 && cgroup < machine ? cgroup : machine
}
