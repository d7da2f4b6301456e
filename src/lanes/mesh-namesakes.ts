import type { Consumer } from '../component/delivery.ts'
import type { Namesakes } from '../component/namesakes.ts'
import type { ContextScope } from '../graph/graph.ts'
import { LANE_LOST } from '../telemetry/ledger.ts'
import type { Mesh } from './mesh.ts'

/**
 * How much of one component may wait in another lane to be begun with: more than the requests that a lane reads in a turn of its
 * loop, less than would hide that it does not keep up. The byte budget has it all the time.
 */
const ROOM = { batches: 512, bytes: 16 << 20 }

/** How the instance that `scope` is for reaches its namesakes. */
export function meshNamesakes(mesh: Mesh, { kind, id, pipeline, books, guard }: ContextScope): Namesakes {
  const address = pipeline === undefined ? `${kind} ${id}` : `${kind} ${id} in ${pipeline}`
  const crossed = books && {
    leaves: (items: number): void => books.given(items),
    lost(items: number): void {
      // In this order: a lane that ended between the two holds it.
      books.given(-items)
      books.failed(LANE_LOST, items)
    },
  }
  return {
    get first() {
      return mesh.first
    },
    receive(consumer) {
      const guarded: Consumer = guard?.(consumer) ?? consumer
      mesh.enter(address, { consumer: guarded, taken: (_, items) => books?.taken(items) })
    },
    give(lane, delivery, sole = false) {
      if (!mesh.hasRoom(lane, ROOM)) return false
      mesh.give(lane, address, delivery, sole, crossed)
      return true
    },
    hear: (callback) => mesh.listen(address, callback),
    tell: (lane, bytes) => mesh.tell(lane, address, bytes),
  }
}
