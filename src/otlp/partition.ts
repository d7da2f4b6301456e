import { Output, varintSize } from './output.ts'
import { METRIC_LEVEL, PATHS } from './paths.ts'
import { canonicalise } from './plain.ts'
import { type KeyedSignal, NO_KEY, type RecordKey } from './record-key.ts'
import { grown } from './tables.ts'
import { NOTHING, NOTHING_VIEW } from './text.ts'
import * as varint from './varint.ts'

/** The part of a request that one owner gets: a request of its own, held once in the pool where it is not the whole that came. */
export interface Part {
  readonly owner: number
  readonly bytes: Uint8Array
  readonly items: number
}

/* A row of nodes, messages that hold records or other nodes: the node around it, its tag, its level, its first and last header. */
const NODE = 5
/* A row of headers, the fields of a node that are not its children: range, and the next of the same node. */
const HEADER = 3
/* A row of leaves, records or nodes without any: the node that it is in, its range with the tag, its owner and the row of that owner's next. */
const LEAF = 5
/** Of a leaf that belongs to nobody in particular. */
const ANYBODY = -1
const EMPTY_NODE = -2
const DEEPEST = 8

/**
 * Takes requests apart by the owners of their records, each with the resource, scope and metric around it and their unknown fields. Records of an
 * owner stay in their order.
 *
 * One scan notes where everything is in tables that the next request reuses, and who owns each record; what one owner has
 * alone comes back as the bytes that came. Else each part is written once, neighbours of one owner in one piece.
 */
export class Partition {
  readonly #signal: KeyedSignal
  readonly #path: readonly (readonly number[])[]
  readonly #key: RecordKey
  readonly #ownerOf: (hash: number) => number
  #buffer: Buffer = NOTHING
  #view: DataView = NOTHING_VIEW
  #nodes = new Int32Array(NODE * 16)
  #nodeCount = 0
  #headers = new Int32Array(HEADER * 32)
  #headerCount = 0
  #headerBytes = 0
  #leaves = new Int32Array(LEAF * 256)
  #leafCount = 0
  /** Owners of the request, in the order in which they came up. */
  #owners = new Int32Array(16)
  #ownerCount = 0
  /** By owner: bytes, items, and the rows of its first and last leaf, of use only where it has bytes. */
  #bytesOf: Float64Array
  #itemsOf: Float64Array
  #firstOf: Int32Array
  #lastOf: Int32Array
  /** A metric has data twice. */
  #ambiguous = false
  readonly #out = new Output()
  readonly #chain = new Int32Array(DEEPEST)
  readonly #open = new Int32Array(DEEPEST)
  readonly #bodies = new Int32Array(DEEPEST)
  readonly #widths = new Int32Array(DEEPEST)

  /**
   * `ownerOf` says which owner, counted from 0, has the keys with a hash; `owners` is how many there are, or may be at first. Whoever
   * wants records by key and not by owner of keys has the key give such numbers, and `ownerOf` give them back.
   */
  constructor(signal: KeyedSignal, key: RecordKey, owners: number, ownerOf: (hash: number) => number) {
    this.#signal = signal
    this.#path = PATHS[signal]
    this.#key = key
    this.#ownerOf = ownerOf
    this.#bytesOf = new Float64Array(owners)
    this.#itemsOf = new Float64Array(owners)
    this.#firstOf = new Int32Array(owners)
    this.#lastOf = new Int32Array(owners)
  }

  /**
   * The parts of a request, one an owner. What has no key goes to `home`, and so does a request without records. Throws WireError
   * where the bytes are malformed.
   */
  split(chunk: Uint8Array, home: number): Part[] {
    this.#index(chunk, home)
    // Points of a metric whose data comes twice mean something else apart than together.
    if (this.#ambiguous) this.#index(canonicalise(this.#signal, chunk), home)
    const parts: Part[] = []
    const owners = this.#owners.subarray(0, this.#ownerCount).sort()
    if (owners.length === 0) parts.push({ owner: home, bytes: chunk, items: 0 })
    else if (owners.length === 1) parts.push({ owner: owners[0]!, bytes: chunk, items: this.#itemsOf[owners[0]!]! })
    else for (const owner of owners) parts.push({ owner, bytes: this.#write(owner), items: this.#itemsOf[owner]! })
    this.#buffer = NOTHING
    this.#view = NOTHING_VIEW
    return parts
  }

  #index(chunk: Uint8Array, home: number): void {
    this.#buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    this.#view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    this.#nodeCount = 0
    this.#headerCount = 0
    this.#headerBytes = 0
    this.#leafCount = 0
    this.#ambiguous = false
    this.#walk(this.#addNode(-1, 0, 0), 0, 0, chunk.byteLength)
    this.#assign(home)
  }

  /** Notes what is in one node; gives how many children it has. */
  #walk(node: number, level: number, start: number, end: number): number {
    const bytes = this.#buffer
    const key = this.#key
    if (level === 1) key.resource?.(bytes, start, end)
    else if (level === 2) key.scope?.(bytes, start, end)
    else if (level === METRIC_LEVEL) key.metric?.(bytes, start, end)
    const tags = this.#path[level]!
    const only = tags.length === 1 ? tags[0]! : -1
    const lowest = level === this.#path.length - 1
    const data = this.#nodes[node * NODE + 1]!
    let children = 0
    for (let p = start; p < end; ) {
      const at = p
      let tag = bytes[p]!
      if (tag < 128) p++
      else {
        tag = varint.readTag(bytes, p, end)
        p = varint.after
      }
      if (tag !== only && (only >= 0 || !tags.includes(tag))) {
        p = varint.skipValue(bytes, tag, p, end)
        this.#addHeader(node, at, p)
        continue
      }
      const length = varint.readLength(bytes, p, end)
      const from = varint.after
      p = from + length
      children++
      if (lowest) {
        const hash = key.record(bytes, from, p, data)
        this.#addLeaf(node, at, p, hash === NO_KEY ? ANYBODY : this.#ownerOf(hash))
      } else if (this.#walk(this.#addNode(node, tag, level + 1), level + 1, from, p) === 0) {
        this.#addLeaf(node, at, p, EMPTY_NODE)
      }
    }
    if (level === METRIC_LEVEL && children > 1) this.#ambiguous = true
    return children
  }

  #addNode(parent: number, tag: number, level: number): number {
    const row = this.#nodeCount * NODE
    if (row === this.#nodes.length) this.#nodes = grown(this.#nodes)
    const nodes = this.#nodes
    nodes[row] = parent
    nodes[row + 1] = tag
    nodes[row + 2] = level
    nodes[row + 3] = -1
    nodes[row + 4] = -1
    return this.#nodeCount++
  }

  #addHeader(node: number, start: number, end: number): void {
    const index = this.#headerCount++
    const row = index * HEADER
    if (row === this.#headers.length) this.#headers = grown(this.#headers)
    const headers = this.#headers
    headers[row] = start
    headers[row + 1] = end
    headers[row + 2] = -1
    const nodes = this.#nodes
    const last = nodes[node * NODE + 4]!
    if (last < 0) nodes[node * NODE + 3] = index
    else headers[last * HEADER + 2] = index
    nodes[node * NODE + 4] = index
    this.#headerBytes += end - start
  }

  #addLeaf(node: number, start: number, end: number, owner: number): void {
    const row = this.#leafCount++ * LEAF
    if (row === this.#leaves.length) this.#leaves = grown(this.#leaves)
    const leaves = this.#leaves
    leaves[row] = node
    leaves[row + 1] = start
    leaves[row + 2] = end
    leaves[row + 3] = owner
  }

  /** Gives every leaf to its owner: what has no key to `home`, empty nodes to an owner of records, so as not to make a part of their own. */
  #assign(home: number): void {
    for (let i = 0; i < this.#ownerCount; i++) this.#bytesOf[this.#owners[i]!] = 0
    this.#ownerCount = 0
    const leaves = this.#leaves
    const last = this.#leafCount * LEAF
    let some = -1
    for (let row = 0; row < last; row += LEAF) {
      if (leaves[row + 3] === EMPTY_NODE) continue
      if (leaves[row + 3] === ANYBODY) leaves[row + 3] = home
      some = leaves[row + 3]!
      break
    }
    for (let row = 0; row < last; row += LEAF) {
      let owner = leaves[row + 3]!
      const empty = owner === EMPTY_NODE
      if (empty) owner = some < 0 ? home : some
      else if (owner === ANYBODY) owner = home
      this.#give(row, owner)
      if (!empty) this.#itemsOf[owner]!++
    }
  }

  #give(row: number, owner: number): void {
    if (owner >= this.#bytesOf.length) this.#makeRoomFor(owner)
    const leaves = this.#leaves
    leaves[row + 3] = owner
    leaves[row + 4] = -1
    if (this.#bytesOf[owner] === 0) {
      if (this.#ownerCount === this.#owners.length) this.#owners = grown(this.#owners)
      this.#owners[this.#ownerCount++] = owner
      this.#itemsOf[owner] = 0
      this.#firstOf[owner] = row
    } else leaves[this.#lastOf[owner]! + 4] = row
    this.#lastOf[owner] = row
    this.#bytesOf[owner]! += leaves[row + 2]! - leaves[row + 1]!
  }

  #makeRoomFor(owner: number): void {
    const room = Math.max(owner + 1, this.#bytesOf.length * 2)
    const wider = <T extends Float64Array | Int32Array>(table: T, into: T): T => {
      into.set(table)
      return into
    }
    this.#bytesOf = wider(this.#bytesOf, new Float64Array(room))
    this.#itemsOf = wider(this.#itemsOf, new Float64Array(room))
    this.#firstOf = wider(this.#firstOf, new Int32Array(room))
    this.#lastOf = wider(this.#lastOf, new Int32Array(room))
  }

  #write(owner: number): Uint8Array {
    const leaves = this.#leaves
    const out = this.#out
    // Every node's header and length, as if the owner had something in each.
    const size = this.#bytesOf[owner]! + this.#headerBytes + this.#nodeCount * LENGTH_ROOM
    out.expected = size
    out.allocate(size)
    let depth = 0
    let current = -1
    for (let row = this.#firstOf[owner]!; row >= 0; ) {
      const node = leaves[row]!
      if (node !== current) {
        depth = this.#enter(node, depth, size)
        current = node
      }
      const start = leaves[row + 1]!
      let end = leaves[row + 2]!
      // Neighbours in the input are copied in one go.
      for (row = leaves[row + 4]!; row >= 0; row = leaves[row + 4]!) {
        if (leaves[row] !== node || leaves[row + 1] !== end) break
        end = leaves[row + 2]!
      }
      out.copy(this.#buffer, this.#view, start, end)
    }
    this.#leave(depth, 0)
    return out.take()
  }

  /** Closes what `node` is not in, of the `depth` nodes that are open, and opens what it is in; gives how many are open then. */
  #enter(node: number, depth: number, size: number): number {
    const nodes = this.#nodes
    const level = nodes[node * NODE + 2]!
    const chain = this.#chain
    for (let each = node, at = level; at >= 0; at--) {
      chain[at] = each
      each = nodes[each * NODE]!
    }
    let common = 0
    while (common < depth && common <= level && this.#open[common] === chain[common]) common++
    this.#leave(depth, common)
    const out = this.#out
    for (let at = common; at <= level; at++) {
      const each = chain[at]!
      // A good guess saves moving the content: the resource and its first scope hold nearly all of the part.
      const width = at === 0 ? 0 : at < 3 ? varintSize(size) : 2
      this.#open[at] = each
      this.#widths[at] = width
      this.#bodies[at] = width === 0 ? 0 : out.begin(nodes[each * NODE + 1]!, width)
      for (let header = nodes[each * NODE + 3]!; header >= 0; header = this.#headers[header * HEADER + 2]!) {
        out.copy(this.#buffer, this.#view, this.#headers[header * HEADER]!, this.#headers[header * HEADER + 1]!)
      }
    }
    return level + 1
  }

  /** Closes nodes from the innermost out, until `left` are open. */
  #leave(depth: number, left: number): void {
    for (let at = depth - 1; at >= left; at--) {
      const width = this.#widths[at]!
      if (width > 0) this.#out.end(this.#bodies[at]!, width)
    }
  }
}

/** Tag and length of a node, at most. */
const LENGTH_ROOM = 6
