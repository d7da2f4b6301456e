const MIB = 1024 * 1024
/** `[123:0x55d0]     4567 ms: Scavenge 12.3 (20.1) -> 4.5 (21.1) MB, …`: process, isolate, clock, heap before and after. */
const LINE = /\[\d+:(0x[0-9a-f]+)\]\s+(\d+) ms: .*? (\d+\.\d+) \(\d+\.\d+\) -> (\d+\.\d+) \(/g

/**
 * Heap allocated per millisecond, over all threads, from what `node --trace-gc` prints. Between two collections an isolate
 * allocates what its heap has grown by; a thread that collected less than twice is taken to allocate nothing. Undefined where
 * that is every thread: the window was too short to tell.
 */
export function heapAllocated(output: string): { readonly bytesPerMs: number } | undefined {
  const isolates = new Map<string, { from: number; to: number; after: number; allocated: number }>()
  for (const [, isolate, clock, before, after] of output.matchAll(LINE)) {
    const known = isolates.get(isolate!)
    if (known === undefined) {
      isolates.set(isolate!, { from: Number(clock), to: Number(clock), after: Number(after), allocated: 0 })
      continue
    }
    known.allocated += Number(before) - known.after
    known.after = Number(after)
    known.to = Number(clock)
  }
  let bytesPerMs: number | undefined
  for (const { from, to, allocated } of isolates.values()) {
    if (to > from) bytesPerMs = (bytesPerMs ?? 0) + (allocated * MIB) / (to - from)
  }
  return bytesPerMs === undefined ? undefined : { bytesPerMs }
}
