import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { Function as Code, Label, Line, Location, Profile, Sample, StringTable, ValueType } from 'pprof-format'
import type { CallFrame, Stack } from './v8-profiles.ts'

/** A value type of a profile: `['cpu', 'nanoseconds']`. */
type Unit = readonly [type: string, unit: string]

export interface ProfileKind {
  /** One for each value of a stack. The last is what viewers show first. */
  readonly values: readonly Unit[]
  readonly periodType: Unit
  /** Between two samples, in the period's unit. */
  readonly period: number
}

export const CPU: ProfileKind = {
  values: [
    ['samples', 'count'],
    ['cpu', 'nanoseconds'],
  ],
  periodType: ['cpu', 'nanoseconds'],
  // V8's default: a sample a millisecond.
  period: 1_000_000,
}

export const HEAP: ProfileKind = {
  values: [['inuse_space', 'bytes']],
  periodType: ['space', 'bytes'],
  period: 512 * 1024,
}

/** What was measured on one thread. */
export interface ThreadStacks {
  readonly thread: string
  readonly stacks: readonly Stack[]
}

const compress = promisify(gzip)

/** A profile of several threads as pprof reads it: profile.proto, gzipped. Samples carry their thread as a label. */
export async function encodePprof(
  kind: ProfileKind,
  threads: readonly ThreadStacks[],
  startedAtMs: number,
  durationMs: number,
): Promise<Uint8Array> {
  const strings = new StringTable()
  const valueType = ([type, unit]: Unit): ValueType =>
    new ValueType({ type: strings.dedup(type), unit: strings.dedup(unit) })
  const places = new Places(strings)
  const threadKey = strings.dedup('thread')
  const sample = threads.flatMap(({ thread, stacks }) => {
    const label = [new Label({ key: threadKey, str: strings.dedup(thread) })]
    return stacks.map(
      ({ frames, values }) =>
        new Sample({ locationId: frames.map((frame) => places.location(frame)), value: [...values], label }),
    )
  })
  const profile = new Profile({
    sampleType: kind.values.map(valueType),
    sample,
    location: places.locations,
    function: places.functions,
    stringTable: strings,
    timeNanos: BigInt(Math.round(startedAtMs)) * 1_000_000n,
    durationNanos: BigInt(Math.round(durationMs * 1e6)),
    periodType: valueType(kind.periodType),
    period: kind.period,
  })
  return compress(profile.encode())
}

/** The functions and lines of a profile, each once. */
class Places {
  readonly locations: Location[] = []
  readonly functions: Code[] = []
  readonly #strings: StringTable
  readonly #locationIds = new Map<string, number>()

  constructor(strings: StringTable) {
    this.#strings = strings
  }

  location({ functionName, url, lineNumber }: CallFrame): number {
    const key = `${functionName} ${url} ${lineNumber}`
    const known = this.#locationIds.get(key)
    if (known !== undefined) return known
    const id = this.locations.length + 1
    const name = this.#strings.dedup(functionName === '' ? '(anonymous)' : functionName)
    const filename = this.#strings.dedup(url.startsWith('file://') ? fileURLToPath(url) : url)
    // V8 counts lines from 0 and says -1 for what is in no file.
    const line = lineNumber + 1
    this.functions.push(new Code({ id, name, systemName: name, filename, startLine: line }))
    this.locations.push(new Location({ id, line: [new Line({ functionId: id, line })] }))
    this.#locationIds.set(key, id)
    return id
  }
}
