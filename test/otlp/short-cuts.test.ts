// The short cuts of `validate` change nothing but its speed: with all of them taken out it is the oracle. What this does not show:
// that the walk itself is right (validate.test.ts, wire-mutations.test.ts).
import { expect, test, vi } from 'vitest'
import { validate } from '../../src/otlp/validate.ts'
import { WireError } from '../../src/otlp/wire-error.ts'
import { randomRequest } from './support/arbitraries.ts'
import { mutate } from './support/mutate.ts'
import { Random } from './support/random.ts'
import { unusual } from './support/unusual.ts'

vi.doMock('../../src/otlp/usual.ts', () => ({
  usualKeyValue: () => -1,
  usualSpan: (_bytes: Uint8Array, start: number) => start,
  usualLogRecord: (_bytes: Uint8Array, start: number) => start,
  usualNumberDataPoint: (_bytes: Uint8Array, start: number) => start,
}))
vi.resetModules()
const plain = await import('../../src/otlp/validate.ts')
const { WireError: PlainWireError } = await import('../../src/otlp/wire-error.ts')

const ROUNDS = 60_000

/** Items, or where the bytes are wrong and how. */
function says(read: typeof validate, signal: 'traces' | 'metrics' | 'logs', bytes: Uint8Array): number | string {
  try {
    return read(signal, bytes)
  } catch (error) {
    if (error instanceof WireError || error instanceof PlainWireError) return `${error.offset} ${error.reason}`
    throw error
  }
}

function field(tag: number, content: Uint8Array | readonly number[], random: Random): number[] {
  // Now and then off by one, or in more bytes than it takes.
  const length = Math.max(0, content.length + (random.below(12) === 0 ? random.below(3) - 1 : 0))
  const long = random.below(12) === 0 || length > 127
  const lengths = long ? [(length & 127) | 128, length >> 7] : [length]
  return [tag, ...lengths, ...content]
}

/** An attribute as every writer makes it, or nearly. */
function attribute(tag: number, random: Random): number[] {
  const filler = (): Uint8Array => random.bytes(random.pick([0, 1, 3, 126, 127, 128, 200]))
  const varint = (): number[] => [
    ...Array.from({ length: random.below(11) }, () => 128 | random.below(128)),
    random.below(130),
  ]
  const value = random.pick([
    () => [],
    () => [random.below(256)],
    () => field(0x0a, filler(), random),
    () => field(0x3a, filler(), random),
    () => [0x18, ...varint()],
    () => [0x10, ...varint()],
    () => [0x21, ...random.bytes(7 + random.below(3))],
    () => field(0x2a, field(0x0a, [], random), random),
    () => [0x10, 1, 0x10, 0],
  ])()
  const key = field(random.below(20) === 0 ? 0x12 : 0x0a, filler(), random)
  const parts = random.pick([
    [key, field(0x12, value, random)],
    [key, field(0x12, value, random)],
    [key],
    [field(0x12, value, random), key],
  ])
  return field(tag, parts.flat(), random)
}

/** A record of attributes, events and scalars, in a request. */
function record(signal: 'traces' | 'metrics' | 'logs', random: Random): Uint8Array {
  const tag = { traces: 0x4a, metrics: 0x3a, logs: 0x32 }[signal]
  const fields: number[][] = []
  for (let n = random.below(5); n > 0; n--) {
    fields.push(
      random.pick([
        () => attribute(tag, random),
        () =>
          field(
            0x5a,
            [...attribute(0x1a, random), 0x09, ...random.bytes(8), ...field(0x12, random.bytes(3), random)],
            random,
          ),
        () =>
          field(
            random.pick([0x0a, 0x12, 0x1a, 0x22, 0x2a, 0x4a, 0x52, 0x62, 0x7a]),
            random.bytes(random.below(20)),
            random,
          ),
        () => [
          random.pick([0x09, 0x11, 0x19, 0x21, 0x31, 0x39, 0x41, 0x59]),
          ...random.bytes(random.pick([7, 8, 8, 8])),
        ],
        () => [random.pick([0x10, 0x20, 0x30, 0x38, 0x40, 0x50, 0x60, 0x70]), random.below(256)],
        () => [...random.pick([[0x85, 1], [0x45]]), ...random.bytes(random.pick([3, 4, 4, 4]))],
      ])(),
    )
  }
  let bytes = fields.flat()
  // Of a metric: a gauge's points.
  for (const around of signal === 'metrics' ? [0x0a, 0x2a, 0x12, 0x12, 0x0a] : [0x12, 0x12, 0x0a]) {
    const { length } = bytes
    bytes = [around, (length & 127) | 128, (length >> 7) & 127, ...bytes]
  }
  return Uint8Array.from(bytes)
}

test.each(['traces', 'metrics', 'logs'] as const)(
  '%s: the same count, or the same complaint at the same place',
  (signal) => {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    const seed = Math.floor(Math.random() * 2 ** 31)
    const random = new Random(seed)
    const originals = Array.from({ length: 200 }, (_, i) => {
      const { bytes } = randomRequest(signal, random, i % 3)
      return i % 2 === 0 ? bytes : unusual(signal, bytes, random)
    })
    let accepted = 0
    for (let i = 0; i < ROUNDS; i++) {
      const bytes = i % 2 === 0 ? record(signal, random) : mutate(random.pick(originals), random)
      const [quick, slow] = [says(validate, signal, bytes), says(plain.validate, signal, bytes)]
      if (quick !== slow) expect.fail(`seed ${seed}: ${quick}, but ${slow}: ${Buffer.from(bytes).toString('hex')}`)
      if (typeof quick === 'number') accepted++
    }
    Error.stackTraceLimit = stackTraceLimit
    // Were nearly all of one kind, the test would say nothing about the other.
    expect(accepted).toBeGreaterThan(ROUNDS / 10)
    expect(accepted).toBeLessThan(ROUNDS * 0.9)
  },
  120_000,
)
