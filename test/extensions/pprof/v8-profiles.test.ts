import { gunzipSync } from 'node:zlib'
import { Profile } from 'pprof-format'
import { expect, test } from 'vitest'
import { CPU, encodePprof } from '../../../extensions/pprof/encode.ts'
import { type CallFrame, cpuStacks, heapStacks } from '../../../extensions/pprof/v8-profiles.ts'

const frame = (functionName: string, url = 'file:///app/a.ts', lineNumber = 9): CallFrame => ({
  functionName,
  url,
  lineNumber,
})

const PROFILE = {
  startTime: 0,
  endTime: 10_000,
  nodes: [
    { id: 1, callFrame: frame('(root)', '', -1), children: [2, 4] },
    { id: 2, callFrame: frame('outer'), children: [3] },
    { id: 3, callFrame: frame('inner') },
    { id: 4, callFrame: frame('(idle)', '', -1) },
  ],
  samples: [3, 4, 2, 3],
  // 1000 µs before the first sample, 2000 between the first and the second, …
  timeDeltas: [1000, 2000, 3000, 1500],
}

test('a node takes the time from its sample to the next, the last one to the end; idle time is left out', () => {
  expect(cpuStacks(PROFILE).map(({ frames, values }) => [frames.map((f) => f.functionName), values])).toEqual([
    // First sample until 3000 µs, last from 7500 to 10000 µs.
    [
      ['inner', 'outer'],
      [2, (2000 + 2500) * 1000],
    ],
    [['outer'], [1, 1500 * 1000]],
  ])
})

test('a heap profile becomes bytes by stack, leaf first', () => {
  const leaf = { callFrame: frame('leaf'), selfSize: 300, children: [] }
  const outer = { callFrame: frame('outer'), selfSize: 0, children: [leaf, { ...leaf, selfSize: 0 }] }
  const head = { callFrame: frame('(root)', '', -1), selfSize: 7, children: [outer] }
  expect(heapStacks({ head }).map(({ frames, values }) => [frames.map((f) => f.functionName), values])).toEqual([
    [['leaf', 'outer'], [300]],
  ])
})

test('pprof reads back the stacks, lines from 1, each sample with its thread', async () => {
  const bytes = await encodePprof(CPU, [{ thread: 'lane-1', stacks: cpuStacks(PROFILE) }], 1_700_000_000_000, 10)
  const profile = Profile.decode(gunzipSync(bytes))
  const string = (index: number | bigint): string => profile.stringTable.strings[Number(index)]!
  const shown = profile.sample.map(({ locationId, value, label }) => ({
    stack: locationId.map((id) => {
      const location = profile.location.find((each) => each.id === id)!
      const code = profile.function.find((each) => each.id === location.line[0]!.functionId)!
      return `${string(code.name)} ${string(code.filename)}:${location.line[0]!.line}`
    }),
    value: value.map(Number),
    thread: `${string(label[0]!.key)}=${string(label[0]!.str)}`,
  }))
  expect(shown).toEqual([
    { stack: ['inner /app/a.ts:10', 'outer /app/a.ts:10'], value: [2, 4_500_000], thread: 'thread=lane-1' },
    { stack: ['outer /app/a.ts:10'], value: [1, 1_500_000], thread: 'thread=lane-1' },
  ])
  expect(profile.sampleType.map(({ type, unit }) => [string(type), string(unit)])).toEqual([
    ['samples', 'count'],
    ['cpu', 'nanoseconds'],
  ])
  expect([profile.timeNanos, profile.durationNanos].map(BigInt)).toEqual([1_700_000_000_000_000_000n, 10_000_000n])
})
