import type { Access, Level, RecordProcessor } from './record-processor.ts'

const DEPTH: Readonly<Record<Level, number>> = { resource: 0, scope: 1, metric: 2, record: 3 }
const LEVELS = Object.keys(DEPTH) as Level[]

/**
 * Cuts a chain of record processors into the fewest runs that may share one pass over the bytes with the same result as
 * one pass each.
 *
 * In a shared pass every node of the tree (resource, scope, metric, record) is visited once, in order, and all processors
 * of the run see it before the next. So a later processor's hook on a node runs before an earlier one's hooks on whatever
 * comes after that node. That changes nothing unless both touch data that the two nodes share and one of them writes it.
 */
export function planPasses(chain: readonly RecordProcessor[]): RecordProcessor[][] {
  const runs: RecordProcessor[][] = []
  for (const processor of chain) {
    const run = runs.at(-1)
    if (run?.every((earlier) => !conflict(earlier, processor))) run.push(processor)
    else runs.push([processor])
  }
  return runs
}

function conflict(earlier: RecordProcessor, later: RecordProcessor): boolean {
  for (const [level, access] of hooks(earlier)) {
    for (const [laterLevel, laterAccess] of hooks(later)) {
      for (const data of LEVELS) {
        if (!shared(DEPTH[level], DEPTH[laterLevel], DEPTH[data])) continue
        const writes = access.writes.includes(data)
        const laterWrites = laterAccess.writes.includes(data)
        // Being called at all is a read of the hook's own level: a drop by the later hook would take that call away.
        const reads = access.reads.includes(data) || level === data
        const laterReads = laterAccess.reads.includes(data) || laterLevel === data
        if ((writes && (laterWrites || laterReads)) || (reads && laterWrites)) return true
      }
    }
  }
  return false
}

/**
 * Whether a node at depth `later` and another at depth `earlier` that follows it can both reach data at depth `data`:
 * their common ancestors always; the earlier hook's node itself and all around it, where it lies below the later one's.
 */
function shared(earlier: number, later: number, data: number): boolean {
  return data < Math.min(earlier, later) || earlier > later
}

function hooks(processor: RecordProcessor): [Level, Access][] {
  return Object.entries(processor.access) as [Level, Access][]
}
