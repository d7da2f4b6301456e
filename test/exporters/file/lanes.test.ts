// One file that several lanes write, some of which die. What this does not show: a disk that fails (file.test.ts), and lanes
// of a running engine (test/lanes).
import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { zstdDecompressSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { FileSettings } from '../../../exporters/file/exporter.ts'
import { SharedBoard } from '../../../src/memory/shared-board.ts'

let folder: string

beforeEach(async () => {
  folder = await fs.mkdtemp(path.join(tmpdir(), 'sluice-file-'))
})

afterEach(() => fs.rm(folder, { recursive: true }))

class Lanes {
  readonly board = SharedBoard.memory()
  readonly settings: FileSettings
  /** By lane, what its lives have had arrive. */
  readonly arrived: { readonly lane: number; readonly cells: Uint8Array }[] = []

  constructor(settings: Partial<FileSettings>) {
    this.settings = {
      path: path.join(folder, 'data.jsonl'),
      format: 'json',
      zstdLevel: undefined,
      append: false,
      createDirectory: undefined,
      rotation: undefined,
      ...settings,
    }
  }

  /** Resolves once it writes. */
  async start(lane: number, records: number): Promise<{ readonly worker: Worker; readonly ended: Promise<unknown> }> {
    const arrived = new SharedArrayBuffer(records)
    this.arrived.push({ lane, cells: new Uint8Array(arrived) })
    const { settings, board } = this
    const worker = new Worker(new URL('./support/writing-lane.ts', import.meta.url), {
      workerData: { settings, board, lane, records, arrived },
    })
    const ended = once(worker, 'exit')
    await once(worker, 'message')
    return { worker, ended }
  }

  /** Names of records that arrived, over all lives of all lanes. */
  get delivered(): string[] {
    return this.arrived.flatMap(({ lane, cells }) =>
      Array.from(cells, (settled, record) => (settled === 1 ? `${lane}-${record}` : '')).filter(Boolean),
    )
  }

  /** Names of records by file, in the order that they have there; throws at what is torn. */
  async read(): Promise<string[][]> {
    const names = (await fs.readdir(folder)).sort()
    return Promise.all(names.map(async (name) => this.#records(await fs.readFile(path.join(folder, name)))))
  }

  #records(bytes: Buffer): string[] {
    const { format, zstdLevel } = this.settings
    if (format === 'json' && zstdLevel === undefined) {
      const lines = bytes.toString().split('\n')
      expect(lines.pop()).toBe('')
      return lines.map(nameInJson)
    }
    const names: string[] = []
    for (let at = 0; at < bytes.length; ) {
      const end = at + 4 + bytes.readUInt32BE(at)
      expect(end).toBeLessThanOrEqual(bytes.length)
      const record =
        zstdLevel === undefined ? bytes.subarray(at + 4, end) : zstdDecompressSync(bytes.subarray(at + 4, end))
      names.push(format === 'json' ? nameInJson(record.toString()) : record.subarray(4).toString())
      at = end
    }
    return names
  }
}

function nameInJson(text: string): string {
  return (JSON.parse(text) as { resourceSpans: { schemaUrl: string }[] }).resourceSpans[0]!.schemaUrl
}

const ROTATION = { maxBytes: 1500, maxDays: 0, maxBackups: 0, localTime: false }

test.each<[what: string, count: number, settings: Partial<FileSettings>]>([
  ['lines', 2, {}],
  ['frames', 4, { format: 'proto' }],
  ['compressed frames', 2, { zstdLevel: 1 }],
  ['lines of files that rotate', 4, { rotation: ROTATION }],
  ['frames of files that rotate', 2, { format: 'proto', rotation: ROTATION }],
])('%s of %i lanes are all there, whole and in the order of each', async (_, count, settings) => {
  const lanes = new Lanes(settings)
  const threads = await Promise.all(Array.from({ length: count }, (__, lane) => lanes.start(lane, 200)))
  await Promise.all(threads.map(({ ended }) => ended))
  const files = await lanes.read()
  expect(files.flat()).toHaveLength(count * 200)
  expect(new Set(files.flat())).toEqual(new Set(lanes.delivered))
  // Full files sort by the time in their names, and before the one that is written.
  for (let lane = 0; lane < count; lane++) {
    const own = files.flat().filter((name) => name.startsWith(`${lane}-`))
    expect(own).toEqual(Array.from({ length: 200 }, (__, record) => `${lane}-${record}`))
  }
  if (settings.rotation) expect(files.length).toBeGreaterThan(2)
})

test('a lane that dies at any moment leaves whole records, and none that was delivered is gone', async () => {
  for (const settings of [{}, { format: 'proto', rotation: ROTATION }] satisfies Partial<FileSettings>[]) {
    const lanes = new Lanes(settings)
    const { ended } = await lanes.start(0, 1000)
    for (let round = 0; round < 3; round++) {
      const { worker: dying } = await lanes.start(round + 1, 100_000)
      const { cells } = lanes.arrived.at(-1)!
      while (!cells.includes(1)) await setTimeout(1)
      await setTimeout(round)
      await dying.terminate()
      new SharedBoard(lanes.board, 0).forget(round + 2)
    }
    await ended
    const found = (await lanes.read()).flat()
    const known = new Set(found)
    // Never twice: what was written and not settled is not written again here.
    expect(found).toHaveLength(known.size)
    expect(lanes.delivered.filter((name) => !known.has(name))).toEqual([])
    expect(found.filter((name) => name.startsWith('0-'))).toHaveLength(1000)
    expect(found.length).toBeGreaterThan(1000)
    await Promise.all((await fs.readdir(folder)).map((name) => fs.rm(path.join(folder, name))))
  }
})
