import type { Clock } from '../clock.ts'
import type { SharedBoard } from '../memory/shared-board.ts'
import { LaneLoads } from './lane-loads.ts'
import type { Mesh } from './mesh.ts'
import { type OwnLoad, Spreader } from './spreader.ts'

/** The spreader of the lane that `mesh` belongs to, by what this thread does. */
export function laneSpreader(mesh: Mesh, board: SharedBoard, clock: Clock): Spreader {
  const loads = new LaneLoads(mesh.lane, mesh.lanes, (lane) => board.piece(`load of lane ${lane}`))
  return new Spreader(mesh, loads, clock, ownLoad(clock))
}

function ownLoad(clock: Clock): OwnLoad {
  let loop = performance.eventLoopUtilization()
  let used = cpuMs()
  let at = clock.monotonic()
  return {
    busy() {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, loop)
      loop = now
      return utilization
    },
    cpu() {
      const before = { used, at }
      used = cpuMs()
      at = clock.monotonic()
      return Math.min(1, (used - before.used) / Math.max(1, at - before.at))
    },
  }
}

/** CPU that this thread has had. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
