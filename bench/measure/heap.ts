const MIB = 1024 * 1024
/** `[123:0x55d0]     4567 ms: Scavenge 12.3 (20.1) -> 4.5 (21.1) MB, …`: process, isolate, clock, heap before and after. */
const NODE = /\[\d+:(0x[0-9a-f]+)\]\s+(\d+) ms: .*? (\d+\.\d+) \(\d+\.\d+\) -> (\d+\.\d+) \(/g
/** `gc 18 @0.123s 2%: … ms cpu, 4->5->2 MB, …`: clock in seconds, heap before, at the end of and after it. */
const GO = /^gc \d+ @(\d+\.\d+)s .* (\d+)->\d+->(\d+) MB/gm

interface Collection {
  /** Heaps are told apart by their isolates; Go has one. */
  readonly heap: string
  readonly ms: number
  readonly before: number
  readonly after: number
}

/**
 * Heap allocated per millisecond, over all threads, from what `node --trace-gc` or Go with `GODEBUG=gctrace=1` prints. Between two
 * collections a heap grows by what is allocated; one that was collected less than twice is taken to allocate nothing. Undefined where
 * that is every heap: the window was too short to tell.
 */
export function heapAllocated(output: string): { readonly bytesPerMs: number } | undefined {
  const heaps = new Map<string, { from: number; to: number; after: number; allocated: number }>()
  for (const { heap, ms, before, after } of collections(output)) {
    const known = heaps.get(heap)
    if (known === undefined) {
      heaps.set(heap, { from: ms, to: ms, after, allocated: 0 })
      continue
    }
    known.allocated += before - known.after
    known.after = after
    known.to = ms
  }
  let bytesPerMs: number | undefined
  for (const { from, to, allocated } of heaps.values()) {
    if (to > from) bytesPerMs = (bytesPerMs ?? 0) + (allocated * MIB) / (to - from)
  }
  return bytesPerMs === undefined ? undefined : { bytesPerMs }
}

function* collections(output: string): Iterable<Collection> {
  for (const [, isolate, clock, before, after] of output.matchAll(NODE)) {
    yield { heap: isolate!, ms: Number(clock), before: Number(before), after: Number(after) }
  }
  for (const [, seconds, before, after] of output.matchAll(GO)) {
    yield { heap: 'go', ms: Number(seconds) * 1000, before: Number(before), after: Number(after) }
  }
}
