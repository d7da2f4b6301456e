import fc from 'fast-check'
import type { Signal } from '../../../src/otlp/batch.ts'
import type { PlainField, PlainObject } from '../../../src/otlp/plain-object.ts'
import { type FieldSchema, type MessageSchema, REQUESTS } from '../../../src/otlp/schema.ts'
import { writeProtobufEs, writeProtobufjs } from './oracles.ts'
import { Random } from './random.ts'

export interface Request {
  readonly signal: Signal
  readonly object: PlainObject
  /** The object as protobufjs writes it: fields in order, minimal varints, packed. Profiles: as protobuf-es does. */
  readonly bytes: Uint8Array
  /** For whatever else the test case chooses at random, so that the case is one number. */
  readonly random: Random
}

/**
 * A valid request: every field of the schema may be there, every list empty, nested values up to three deep.
 *
 * A case is a seed and a size: ten thousand cost about a second, where one arbitrary per field would cost minutes.
 * Shrinking tries smaller sizes, down to one record.
 */
export function arbitraryRequest(signal: Signal): fc.Arbitrary<Request> {
  return fc.record({ size: fc.integer({ min: 0, max: 4 }), seed: fc.integer() }).map(({ size, seed }) => ({
    ...randomRequest(signal, new Random(seed), size),
    // A failing case is printed as what makes it again, not as kilobytes of its tree.
    [fc.toStringMethod]: () => `randomRequest('${signal}', new Random(${seed}), ${size})`,
  }))
}

export function randomRequest(signal: Signal, random: Random, size: number): Request {
  const object = randomMessage({ random, size, profiles: signal === 'profiles' }, REQUESTS[signal], 0)
  const bytes = signal === 'profiles' ? writeProtobufEs(signal, object) : writeProtobufjs(signal, object)
  return { signal, object, bytes, random }
}

interface Maker {
  readonly random: Random
  readonly size: number
  readonly profiles: boolean
}

const PROFILES_ONLY = new Set(['stringValueStrindex', 'keyStrindex'])

function randomMessage(maker: Maker, schema: MessageSchema, nesting: number): PlainObject {
  const { random } = maker
  const object: PlainObject = {}
  const chosen = new Map<string, FieldSchema>()
  for (const field of schema.fields) {
    if (PROFILES_ONLY.has(field.name) && !maker.profiles) continue
    if (field.oneof !== undefined) {
      // Deep down only leaves, else values would nest without end.
      if (field.message && schema.name === 'AnyValue' && nesting >= 3) continue
      // Reservoir of one, with a chance that the oneof stays unset.
      const seen = chosen.size
      if (!chosen.has(field.oneof) || random.chance(1 / (seen + 2))) chosen.set(field.oneof, field)
      continue
    }
    if (!field.repeated) {
      if (random.chance(field.message ? 0.85 : 0.7)) object[field.name] = randomField(maker, field, nesting)
      continue
    }
    const count = randomCount(maker, field)
    if (count > 0) object[field.name] = Array.from({ length: count }, () => randomField(maker, field, nesting))
  }
  for (const field of chosen.values()) {
    if (random.chance(0.92)) object[field.name] = randomField(maker, field, nesting)
  }
  return object
}

/** Many records, few of everything around them and below. */
function randomCount({ random, size }: Maker, field: FieldSchema): number {
  const name = field.message?.name ?? ''
  if (/^(Span|LogRecord|Metric|Profile|\w+DataPoint)$/.test(name)) return random.below(size + 2)
  if (name.startsWith('Resource') || name.startsWith('Scope')) return size === 0 ? 1 : random.pick([0, 1, 1, 1, 2])
  if (name === 'KeyValue') return random.below(size + 2)
  return random.chance(0.5) ? 0 : random.below(3)
}

function randomField(maker: Maker, field: FieldSchema, nesting: number): PlainField {
  const { random } = maker
  switch (field.type) {
    case 'message': {
      const child = field.message!
      return randomMessage(maker, child, nesting + (/^(ArrayValue|KeyValueList)$/.test(child.name) ? 1 : 0))
    }
    case 'string':
      return field.name === 'key' ? random.pick(KEYS) : randomText(random)
    case 'bytes':
      if (field.hex) return random.bytes(random.chance(0.9) ? (/trace|profile/i.test(field.name) ? 16 : 8) : 0)
      return random.bytes(random.below(6))
    case 'bool':
      return random.chance(0.5)
    case 'double':
      return random.chance(0.3) ? random.pick(DOUBLES) : random.bits() / 1024
    case 'int64':
    case 'sfixed64':
      return BigInt.asIntN(64, random64(random))
    case 'uint64':
    case 'fixed64':
      return BigInt.asUintN(64, random64(random))
    case 'uint32':
    case 'fixed32':
      return (random.chance(0.7) ? random.below(300) : random.bits()) >>> 0
    case 'enum':
      return random.chance(0.95) ? random.below(field.values!.length) : random.bits()
    default:
      return random.chance(0.7) ? random.below(300) - 100 : random.bits()
  }
}

/** Few keys, so that edits meet them and one record has the same key twice now and then. */
export const KEYS = [
  '',
  'a',
  'b',
  'http.method',
  'http.route',
  'user.email',
  'db.statement',
  'k\u00e9y',
  'x'.repeat(130),
]

const DOUBLES = [0, -0, 1, -1.5, NaN, Infinity, -Infinity, Number.MAX_VALUE, Number.MIN_VALUE, 1e21, 0.1]
const TEXTS = [
  '',
  'GET',
  'checkout',
  'order/{id}',
  'ana@example.com',
  'caf\u00e9 \u2615',
  '\ud83d\udc1f',
  '"\\\n\u0000\u2028',
  '</p>',
]

function randomText(random: Random): string {
  if (random.chance(0.04)) return 'lorem '.repeat(random.below(60))
  return random.pick(TEXTS)
}

/** Of every magnitude, so that varints of every length occur. */
function random64(random: Random): bigint {
  const bits = (BigInt(random.bits()) << 32n) ^ BigInt(random.bits() >>> 0)
  return bits >> BigInt(random.below(64))
}
