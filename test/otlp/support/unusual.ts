import type { Signal } from '../../../src/otlp/batch.ts'
import { type FieldSchema, type MessageSchema, REQUESTS, WIRE } from '../../../src/otlp/schema.ts'
import type { Random } from './random.ts'

export interface UnusualOptions {
  /** Fields of a message in any order; elements of one repeated field keep theirs. */
  readonly shuffle?: boolean
  /** A singular message in two pieces. */
  readonly split?: boolean
  /** Tags, lengths and numbers in more bytes than they need. */
  readonly padVarints?: boolean
  /** A singular field twice, and a oneof set twice: the last counts. */
  readonly duplicates?: boolean
  /** Packable lists in pieces, packed and not. */
  readonly packing?: boolean
  /** Fields that no schema has, anywhere. Never groups: OTLP has none and Sluice refuses them. */
  readonly unknown?: boolean
}

const EVERYTHING_UNUSUAL: UnusualOptions = {
  shuffle: true,
  split: true,
  padVarints: true,
  duplicates: true,
  packing: true,
  unknown: true,
}

/**
 * Other bytes with the same meaning, as protobuf defines it. Takes canonical bytes only (minimal varints, nothing twice), which
 * keeps the parser in here a few lines long and independent of the readers that it tests.
 */
export function unusual(
  signal: Signal,
  canonical: Uint8Array,
  random: Random,
  options: UnusualOptions = EVERYTHING_UNUSUAL,
): Uint8Array<ArrayBuffer> {
  return join(recode({ random, options }, REQUESTS[signal], canonical))
}

interface Recoder {
  readonly random: Random
  readonly options: UnusualOptions
}

/** One field of the input; `value` is the content of a LEN field, else the bytes of the number. */
interface Field {
  readonly number: number
  readonly wire: number
  readonly value: Uint8Array
}

/** A stretch of output that may be put anywhere among the others, as long as those with the same `order` keep theirs. */
interface Piece {
  readonly order: string
  readonly bytes: Uint8Array
}

/** The pieces of a message's new serialization, in their order. */
function recode(recoder: Recoder, schema: MessageSchema, bytes: Uint8Array): Uint8Array[] {
  const { random, options } = recoder
  const pieces: Piece[] = []
  for (const field of parse(bytes)) {
    const known = schema.byNumber.get(field.number)
    if (!known) throw new Error('unusual() takes input without unknown fields')
    const order = known.oneof ?? known.name
    const add = (piece: Uint8Array): void => void pieces.push({ order, bytes: piece })
    if (options.duplicates && random.chance(0.15)) {
      const decoy = makeDecoy(recoder, schema, known)
      if (decoy) add(decoy)
    }
    if (known.message) {
      const content = recode(recoder, known.message, field.value)
      const cut = options.split && !known.repeated && random.chance(0.2) ? random.below(content.length + 1) : -1
      if (cut >= 0) add(lengthDelimited(recoder, field.number, join(content.slice(0, cut))))
      add(lengthDelimited(recoder, field.number, join(cut >= 0 ? content.slice(cut) : content)))
    } else if (known.packable && options.packing) for (const run of repack(recoder, known, field)) add(run)
    else add(write(recoder, field))
  }
  if (options.unknown && random.chance(0.15)) {
    pieces.splice(random.below(pieces.length + 1), 0, { order: 'unknown', bytes: makeUnknown(recoder, schema) })
  }
  return (options.shuffle && random.chance(0.5) ? shuffle(random, pieces) : pieces).map((piece) => piece.bytes)
}

function parse(bytes: Uint8Array): Field[] {
  const fields: Field[] = []
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  while (at < bytes.length) {
    const tag = varint()
    const wire = tag & 7
    let length: number
    if (wire === WIRE.LEN) length = varint()
    else if (wire === WIRE.FIXED64) length = 8
    else if (wire === WIRE.FIXED32) length = 4
    else {
      length = 1
      while (bytes[at + length - 1]! >= 128) length++
    }
    fields.push({ number: tag >>> 3, wire, value: bytes.subarray(at, at + length) })
    at += length
  }
  return fields
}

function write(recoder: Recoder, { number, wire, value }: Field, limit?: number): Uint8Array {
  if (wire === WIRE.LEN) return lengthDelimited(recoder, number, value, limit)
  return join([tag(recoder, number, wire), wire === WIRE.VARINT ? padded(recoder, value, limit) : value])
}

function lengthDelimited(recoder: Recoder, number: number, content: Uint8Array, limit?: number): Uint8Array {
  return join([tag(recoder, number, WIRE.LEN), padded(recoder, varint(content.length), limit), content])
}

function tag(recoder: Recoder, number: number, wire: number): Uint8Array {
  // A tag longer than five bytes is refused by some readers (C++), so nobody may rely on it.
  return padded(recoder, varint(number * 8 + wire), 5)
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  bytes.push(rest)
  return Uint8Array.from(bytes)
}

/** The same number in up to `limit` bytes. */
function padded({ random, options }: Recoder, minimal: Uint8Array, limit = 10): Uint8Array {
  if (!options.padVarints || minimal.length >= limit || !random.chance(0.05)) return minimal
  const bytes = new Uint8Array(minimal.length + 1 + random.below(limit - minimal.length)).fill(128)
  bytes.set(minimal)
  bytes[minimal.length - 1]! |= 128
  bytes[bytes.length - 1] = 0
  return bytes
}

/** A packed list again, in runs that are packed or single elements. */
function repack(recoder: Recoder, known: FieldSchema, field: Field): Uint8Array[] {
  const { random } = recoder
  const elements: Uint8Array[] = []
  const width = known.wire === WIRE.FIXED64 ? 8 : known.wire === WIRE.FIXED32 ? 4 : 0
  for (let at = 0; at < field.value.length; ) {
    let end = at + width
    if (width === 0) for (end = at + 1; field.value[end - 1]! >= 128; ) end++
    const element = field.value.subarray(at, end)
    elements.push(known.wire === WIRE.VARINT ? padded(recoder, element) : element)
    at = end
  }
  const runs: Uint8Array[] = []
  while (elements.length > 0) {
    if (random.chance(0.3)) {
      runs.push(join([tag(recoder, field.number, known.wire), elements.shift()!]))
    } else {
      const run = elements.splice(0, random.chance(0.5) ? elements.length : random.below(elements.length + 1))
      runs.push(lengthDelimited(recoder, field.number, join(run)))
    }
  }
  return runs
}

/** Something to stand before `known` and be overridden by it. A message is never one of its own kind: those merge. */
function makeDecoy(recoder: Recoder, schema: MessageSchema, known: FieldSchema): Uint8Array | undefined {
  const { random } = recoder
  if (known.repeated) return undefined
  const candidates = known.oneof === undefined ? [known] : schema.fields.filter((field) => field.oneof === known.oneof)
  const { number, wire, message } = random.pick(candidates)
  if (message && (known.oneof === undefined || number === known.number)) return undefined
  // A reader that does not know profiles would keep what stands before this one.
  if (schema.byNumber.get(number)?.name === 'stringValueStrindex') return undefined
  if (wire === WIRE.LEN) return lengthDelimited(recoder, number, new TextEncoder().encode(message ? '' : 'decoy'))
  if (wire === WIRE.VARINT) return write(recoder, { number, wire, value: varint(random.below(100_000)) })
  return write(recoder, { number, wire, value: random.bytes(wire === WIRE.FIXED64 ? 8 : 4) })
}

/** protobufjs 7 takes a varint of six to nine bytes for one of ten when it reads or skips 32 bits, and these stay as they are. */
const UNKNOWN_LIMIT = 5

function makeUnknown(recoder: Recoder, schema: MessageSchema): Uint8Array {
  const { random } = recoder
  let number: number
  do number = random.pick([13, 17, 99, 1000, 2047, 2048, 536_870_911, 1 + random.below(30)])
  while (schema.byNumber.has(number))
  const wire = random.pick([WIRE.VARINT, WIRE.FIXED64, WIRE.LEN, WIRE.FIXED32])
  let value: Uint8Array
  if (wire === WIRE.VARINT) value = varint(random.bits() >>> 0)
  else value = random.bytes(wire === WIRE.LEN ? random.below(200) : wire === WIRE.FIXED64 ? 8 : 4)
  return write(recoder, { number, wire, value }, UNKNOWN_LIMIT)
}

/** Any order in which the pieces of one `order` follow each other as before. */
function shuffle(random: Random, pieces: readonly Piece[]): Piece[] {
  const queues = new Map<string, Piece[]>()
  for (const piece of pieces) {
    const queue = queues.get(piece.order)
    if (queue) queue.push(piece)
    else queues.set(piece.order, [piece])
  }
  const shuffled: Piece[] = []
  const open = [...queues.values()]
  while (open.length > 0) {
    const index = random.below(open.length)
    const queue = open[index]!
    shuffled.push(queue.shift()!)
    if (queue.length === 0) open.splice(index, 1)
  }
  return shuffled
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0
  for (const part of parts) length += part.length
  const joined = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}
