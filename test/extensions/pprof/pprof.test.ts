import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { Profile } from 'pprof-format'
import { expect, onTestFinished, test } from 'vitest'
import { PprofExtension } from '../../../extensions/pprof/extension.ts'
import { profiledThreads } from '../../../src/admin/profiled-threads.ts'
import type { ProfiledThread } from '../../../src/component/host.ts'
import { deadlineIn } from '../../support/context.ts'
import { hostContext, testHost } from '../../support/host.ts'
import { ask } from '../../support/http-get.ts'

const HEAD = { callFrame: { functionName: '(root)', url: '', lineNumber: -1 }, selfSize: 0, children: [] }

/** A thread that is measured by nobody: `marks` says what was asked of it. */
function fakeThread(name: string, marks: string[]): ProfiledThread {
  const nodes = [
    { id: 1, callFrame: { functionName: '(root)', url: '', lineNumber: -1 }, children: [2] },
    { id: 2, callFrame: { functionName: `work of ${name}`, url: 'file:///a.ts', lineNumber: 0 } },
  ]
  const profile = { nodes, startTime: 0, endTime: 1000, samples: [2], timeDeltas: [0] }
  const measuring = (kind: string, result: unknown) => async () => {
    marks.push(`${name} ${kind} begins`)
    return async () => {
      marks.push(`${name} ${kind} ends`)
      return JSON.stringify(result)
    }
  }
  return {
    name,
    cpuProfile: measuring('cpu', profile),
    heapProfile: measuring('heap', { head: HEAD }),
    heapSnapshot: async () => Readable.from(['{"snapshot":', '1}']),
  }
}

async function rig({ save_to_file = '', threads }: { save_to_file?: string; threads?: ProfiledThread[] } = {}) {
  const marks: string[] = []
  const all = threads ?? [fakeThread('main', marks), fakeThread('lane-1', marks)]
  const ctx = hostContext('pprof', { ...testHost(), threads: async () => all })
  const extension = new PprofExtension({ endpoint: '127.0.0.1:0', save_to_file }, ctx)
  onTestFinished(() => extension.stop(deadlineIn(ctx.clock, 0)))
  await extension.start()
  const base = `http://${ctx.endpoints[0]!.address}`
  return { ctx, extension, marks, get: (path: string) => ask(`${base}${path}`) }
}

function functions(bytes: Uint8Array): string[] {
  const profile = Profile.decode(gunzipSync(bytes))
  return profile.function.map(({ name }) => profile.stringTable.strings[Number(name)]!)
}

test('a CPU profile measures all threads for the seconds asked and comes as pprof', async () => {
  const { ctx, marks, get } = await rig()
  const answer = get('/debug/pprof/profile?seconds=5')
  await expect.poll(() => marks).toEqual(['main cpu begins', 'lane-1 cpu begins'])
  await ctx.clock.advance(4_999)
  expect(marks).toHaveLength(2)
  await ctx.clock.advance(1)
  expect(functions((await answer).body)).toEqual(['work of main', 'work of lane-1'])
  expect(marks.slice(2)).toEqual(['main cpu ends', 'lane-1 cpu ends'])
})

test('only one CPU profile at a time, as Go says it; it is free again afterwards', async () => {
  const { ctx, marks, get } = await rig()
  const first = get('/debug/pprof/profile?seconds=1')
  await expect.poll(() => marks.length).toBe(2)
  const second = await get('/debug/pprof/profile?seconds=1')
  expect(second).toMatchObject({ status: 500, headers: { 'x-go-pprof': '1' } })
  expect(second.text).toContain('cpu profiling already in use')
  await ctx.clock.advance(1000)
  expect((await first).status).toBe(200)
  const third = get('/debug/pprof/profile?seconds=1')
  await expect.poll(() => marks.length).toBe(6)
  await ctx.clock.advance(1000)
  expect((await third).status).toBe(200)
})

test('V8 formats of one thread: profiles, and a heap snapshot as it comes', async () => {
  const { ctx, marks, get } = await rig()
  const profile = get('/debug/pprof/cpuprofile?thread=main&seconds=2')
  await expect.poll(() => marks).toEqual(['main cpu begins'])
  await ctx.clock.advance(2000)
  expect(JSON.parse((await profile).text)).toMatchObject({ samples: [2] })
  const snapshot = await get('/debug/pprof/heapsnapshot?thread=lane-1')
  expect(snapshot).toMatchObject({ status: 200, text: '{"snapshot":1}' })
  expect(snapshot.headers['content-disposition']).toBe('attachment; filename="lane-1.heapsnapshot"')
})

test.each([
  ['/debug/pprof/profile?seconds=-1', 400, 'seconds: expected a number above 0, at most 600, got "-1"\n'],
  ['/debug/pprof/profile?seconds=soon', 400, 'seconds: expected a number above 0, at most 600, got "soon"\n'],
  ['/debug/pprof/heap?thread=lane-7', 404, 'no thread is named "lane-7"; there are main, lane-1\n'],
])('%s is refused with the way out', async (path, status, text) => {
  const { get, marks } = await rig()
  expect(await get(path)).toMatchObject({ status, text })
  expect(marks).toEqual([])
})

test('what Go has and Node has not is not there; the index lists what is', async () => {
  const { get } = await rig()
  expect(await get('/debug/pprof/goroutine')).toMatchObject({ status: 404 })
  expect(await get('/elsewhere')).toMatchObject({ status: 404 })
  expect(await get('/debug/pprof')).toMatchObject({ status: 301, headers: { location: '/debug/pprof/' } })
  expect((await get('/debug/pprof/')).text).toContain('Threads: main, lane-1.')
})

test('the stop ends a measurement early and answers with what there is', async () => {
  const { extension, marks, get, ctx } = await rig()
  const answer = get('/debug/pprof/profile?seconds=600')
  await expect.poll(() => marks.length).toBe(2)
  extension.stopping()
  expect(functions((await answer).body)).toEqual(['work of main', 'work of lane-1'])
  await extension.stop(deadlineIn(ctx.clock, 1000))
})

test('save_to_file measures from ready to the stop', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-pprof-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'cpu.pprof')
  const { extension, marks, ctx } = await rig({ save_to_file: file })
  extension.ready()
  await expect.poll(() => marks.length).toBe(2)
  extension.stopping()
  await extension.stop(deadlineIn(ctx.clock, 1000))
  expect(functions(readFileSync(file))).toEqual(['work of main', 'work of lane-1'])
})

test('the real main thread can be measured: a function that burns CPU is in its profile', async () => {
  const [main] = profiledThreads(new Map())
  const end = await main!.cpuProfile()
  const until = performance.now() + 200
  let sum = 0
  const burnCpu = (): void => {
    while (performance.now() < until) for (let i = 0; i < 1e4; i++) sum += Math.sqrt(i)
  }
  burnCpu()
  const names = (JSON.parse(await end()) as { nodes: { callFrame: { functionName: string } }[] }).nodes
  expect(names.map(({ callFrame }) => callFrame.functionName)).toContain('burnCpu')
  expect(sum).toBeGreaterThan(0)
})
