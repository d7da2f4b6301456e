/** A call frame of V8's profiles. Lines count from 0. */
export interface CallFrame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
}

/** V8's `.cpuprofile`; times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: CallFrame
    readonly children?: readonly number[]
  }[]
  readonly startTime: number
  readonly endTime: number
  /** The node that ran at each sample, and the time since the sample before. */
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** A node of V8's `.heapprofile`; sizes in bytes. */
export interface HeapNode {
  readonly callFrame: CallFrame
  readonly selfSize: number
  readonly children: readonly HeapNode[]
}

/** V8's `.heapprofile`: live objects by where they were allocated. */
export interface HeapProfile {
  readonly head: HeapNode
}

/** What one stack, leaf first, costs. */
export interface Stack {
  readonly frames: readonly CallFrame[]
  readonly values: readonly number[]
}

/** V8's names for what is no function. Idle time is no CPU time; the root is no caller. */
const IDLE = '(idle)'
const ROOT = '(root)'

/** Samples and nanoseconds by stack, idle time left out. */
export function cpuStacks({ nodes, samples, timeDeltas, startTime, endTime }: CpuProfile): Stack[] {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])))
  const costs = new Map<number, { samples: number; microseconds: number }>()
  let known = timeDeltas[0] ?? 0
  samples.forEach((node, i) => {
    // A delta is the time before its sample; what a node took lies between its sample and the next.
    const last = i + 1 === samples.length
    const took = Math.max(0, last ? endTime - startTime - known : timeDeltas[i + 1]!)
    if (!last) known += timeDeltas[i + 1]!
    const cost = costs.get(node) ?? { samples: 0, microseconds: 0 }
    cost.samples++
    cost.microseconds += took
    costs.set(node, cost)
  })
  const stacks: Stack[] = []
  for (const [leaf, cost] of costs) {
    const frames: CallFrame[] = []
    for (let id: number | undefined = leaf; id !== undefined; id = parents.get(id)) {
      const frame = byId.get(id)?.callFrame
      if (frame !== undefined && frame.functionName !== ROOT) frames.push(frame)
    }
    if (frames.length === 0 || frames[0]!.functionName === IDLE) continue
    stacks.push({ frames, values: [cost.samples, Math.round(cost.microseconds * 1000)] })
  }
  return stacks
}

/** Bytes by stack. */
export function heapStacks({ head }: HeapProfile): Stack[] {
  const stacks: Stack[] = []
  // An explicit stack: recursion as deep as the profiled program's would overflow this one's.
  const open: { node: HeapNode; frames: readonly CallFrame[] }[] = [{ node: head, frames: [] }]
  for (let next = open.pop(); next; next = open.pop()) {
    const { node, frames } = next
    const own = node.callFrame.functionName === ROOT ? frames : [node.callFrame, ...frames]
    if (node.selfSize > 0 && own.length > 0) stacks.push({ frames: own, values: [node.selfSize] })
    for (const child of node.children) open.push({ node: child, frames: own })
  }
  return stacks
}
