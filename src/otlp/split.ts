import type { Signal } from './batch.ts'
import { countItems } from './count.ts'
import { Output, varintSize } from './output.ts'
import { METRIC_LEVEL, PATHS } from './paths.ts'
import { canonicalise } from './plain.ts'
import * as varint from './varint.ts'

/** How large a piece may be; what is left out is not limited. */
export interface SplitLimits {
  /** Spans, data points, log records or samples; at least 1. */
  readonly maxItems?: number
  /** Serialized bytes; a piece exceeds it only where one item with what is around it does. */
  readonly maxBytes?: number
  /**
   * How many times as large as the request its pieces may be together, for each repeats what is around its items. One that
   * would grow more comes back as it is.
   */
  readonly maxGrowth?: number
}

/** A request of its own. */
export interface Piece {
  readonly bytes: Uint8Array
  readonly items: number
}

/**
 * Cuts a request into requests of at most that many items and bytes, in the order of the items; every piece repeats the
 * resource, scope and metric that its items lie in, with their unknown fields. One that is small enough comes back as it is.
 *
 * The opposite needs no function: chunks laid end to end are the request of all of them (`Batch`). Not so for profiles: their
 * dictionary goes into every piece whole, and indexes into it do not survive laying pieces end to end.
 */
export function split(
  signal: Signal,
  chunk: Uint8Array,
  { maxItems = Infinity, maxBytes = Infinity, maxGrowth = Infinity }: SplitLimits,
): Piece[] {
  const items = countItems(signal, chunk)
  if (items <= maxItems && chunk.byteLength <= maxBytes) return [{ bytes: chunk, items }]
  let plan = new Plan(signal, chunk)
  // Points of a metric whose data comes twice mean something else apart than together.
  if (plan.ambiguous) plan = new Plan(signal, canonicalise(signal, chunk))
  return plan.pieces(maxItems, maxBytes, chunk.byteLength * maxGrowth) ?? [{ bytes: chunk, items }]
}

/** A message that holds leaves or other nodes. */
class Node {
  /** From the request down to this one. */
  readonly chain: readonly Node[]
  readonly tag: number
  /** Starts and ends of the fields that are not its children, one after the other. */
  readonly header: number[] = []
  headerSize = 0

  constructor(parent: Node | undefined, tag: number) {
    this.chain = parent === undefined ? [this] : [...parent.chain, this]
    this.tag = tag
  }
}

/** An item, or a node that came without children; whole, with its tag. */
interface Leaf {
  readonly node: Node
  readonly start: number
  readonly end: number
  readonly items: number
}

/** Which leaves make a piece. */
interface Cut {
  readonly first: number
  readonly end: number
  readonly items: number
  readonly size: number
}

class Plan {
  readonly #buffer: Buffer
  readonly #view: DataView
  readonly #path: readonly (readonly number[])[]
  readonly #leaves: Leaf[] = []
  /** Whether a metric has data twice. */
  ambiguous = false

  constructor(signal: Signal, chunk: Uint8Array) {
    this.#buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    this.#view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    this.#path = PATHS[signal]
    this.#walk(new Node(undefined, 0), 0, chunk.byteLength)
  }

  /** Notes the leaves of one node; gives how many children it has. */
  #walk(node: Node, start: number, end: number): number {
    const buffer = this.#buffer
    const level = node.chain.length - 1
    const tags = this.#path[level]!
    const lowest = level === this.#path.length - 1
    let children = 0
    for (let p = start; p < end; ) {
      const at = p
      const tag = varint.readTag(buffer, p, end)
      const valueAt = varint.after
      p = varint.skipValue(buffer, tag, valueAt, end)
      if (!tags.includes(tag)) {
        node.header.push(at, p)
        node.headerSize += p - at
        continue
      }
      children++
      if (lowest) {
        this.#leaves.push({ node, start: at, end: p, items: 1 })
        continue
      }
      varint.readLength(buffer, valueAt, end)
      if (this.#walk(new Node(node, tag), varint.after, p) === 0)
        this.#leaves.push({ node, start: at, end: p, items: 0 })
    }
    if (level === METRIC_LEVEL && children > 1) this.ambiguous = true
    return children
  }

  /** Undefined where they would be larger than `maxTotal` together; nothing has been written then. */
  pieces(maxItems: number, maxBytes: number, maxTotal: number): Piece[] | undefined {
    const cuts: Cut[] = []
    const size = new Size()
    let first = 0
    let items = 0
    let total = 0
    const cut = (end: number): void => {
      cuts.push({ first, end, items, size: size.total() })
      total += size.total()
      first = end
      items = 0
      size.clear()
    }
    for (let i = 0; i < this.#leaves.length; i++) {
      const leaf = this.#leaves[i]!
      if (i > first && (items + leaf.items > maxItems || size.with(leaf) > maxBytes)) cut(i)
      items += leaf.items
      size.add(leaf)
    }
    if (first < this.#leaves.length) cut(this.#leaves.length)
    if (total > maxTotal) return undefined
    return cuts.map((each) => this.#write(each.first, each.end, each.items, each.size))
  }

  #write(first: number, end: number, items: number, size: number): Piece {
    const leaves = this.#leaves
    const out = new Output()
    out.expected = size
    const open: { readonly node: Node; readonly body: number; readonly width: number }[] = []
    const close = (): void => {
      const { body, width } = open.pop()!
      if (width > 0) out.end(body, width)
    }
    for (let i = first; i < end; ) {
      const { node, start } = leaves[i]!
      while (open.length > 0 && !node.chain.includes(open.at(-1)!.node)) close()
      for (const next of node.chain.slice(open.length)) {
        // A good guess saves moving the content: the resource and its first scope hold nearly all of the piece.
        const width = open.length === 0 ? 0 : open.length < 3 ? varintSize(size) : 2
        const body = width === 0 ? 0 : out.begin(next.tag, width)
        for (let j = 0; j < next.header.length; j += 2) {
          out.copy(this.#buffer, this.#view, next.header[j]!, next.header[j + 1]!)
        }
        open.push({ node: next, body, width })
      }
      // Neighbours in the input are copied in one go.
      let last = leaves[i++]!
      while (i < end && leaves[i]!.node === node && leaves[i]!.start === last.end) last = leaves[i++]!
      out.copy(this.#buffer, this.#view, start, last.end)
    }
    while (open.length > 0) close()
    return { bytes: out.take(), items }
  }
}

/** Serialized size of a piece that grows leaf by leaf. */
class Size {
  #chain: readonly Node[] = []
  /** What is in each node of the chain so far, without the one below it. */
  #bodies: number[] = []

  clear(): void {
    this.#chain = []
    this.#bodies = []
  }

  total(): number {
    return totalOf(this.#bodies, 0)
  }

  /** What `total` would be with this leaf. */
  with(leaf: Leaf): number {
    const size = leaf.end - leaf.start
    if (this.#chain === leaf.node.chain) return totalOf(this.#bodies, size)
    return totalOf(this.#enter(leaf.node), size)
  }

  add(leaf: Leaf): void {
    if (this.#chain !== leaf.node.chain) {
      this.#bodies = this.#enter(leaf.node)
      this.#chain = leaf.node.chain
    }
    this.#bodies[this.#bodies.length - 1]! += leaf.end - leaf.start
  }

  /** The bodies after closing what `node` does not lie in and opening what it does. */
  #enter({ chain }: Node): number[] {
    const bodies = this.#bodies.slice()
    while (bodies.length > 0 && this.#chain[bodies.length - 1] !== chain[bodies.length - 1]) {
      const size = bodies.pop()!
      bodies[bodies.length - 1]! += 1 + varintSize(size) + size
    }
    while (bodies.length < chain.length) bodies.push(chain[bodies.length]!.headerSize)
    return bodies
  }
}

/** Size of nested messages, `more` bytes added to the innermost; each but the outermost has a tag and a length. */
function totalOf(bodies: readonly number[], more: number): number {
  let size = more
  for (let i = bodies.length - 1; i >= 0; i--) {
    size += bodies[i]!
    if (i > 0) size += 1 + varintSize(size)
  }
  return size
}
