import type { Clock } from '../clock.ts'
import type { SharedBoard } from '../memory/shared-board.ts'
import { LaneLoads } from './lane-loads.ts'
import type { Mesh } from './mesh.ts'
import { Spreader } from './spreader.ts'

/** The spreader of the lane that `mesh` belongs to, by how busy this thread's event loop is. */
export function laneSpreader(mesh: Mesh, board: SharedBoard, clock: Clock): Spreader {
  const loads = new LaneLoads(mesh.lane, mesh.lanes, (lane) => board.piece(`load of lane ${lane}`))
  let before = performance.eventLoopUtilization()
  const busySince = (): number => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, before)
    before = now
    return utilization
  }
  return new Spreader(mesh, loads, clock, busySince)
}
