import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FileExporter, type FileSettings } from '../../../exporters/file/exporter.ts'
import file from '../../../exporters/file/file.ts'
import { makeBatch } from '../../../src/otlp/batch.ts'
import { deadlineIn, testContext } from '../../support/context.ts'
import { type Tracked, track } from '../../support/deliveries.ts'

let folder: string
const running: FileExporter[] = []

beforeEach(async () => {
  folder = await fs.mkdtemp(path.join(tmpdir(), 'sluice-file-'))
})

afterEach(async () => {
  vi.restoreAllMocks()
  for (const exporter of running.splice(0)) await exporter.stop(deadlineIn(testContext().clock, 0))
  await fs.rm(folder, { recursive: true })
})

/** A traces request of one resource with one schema URL of the given text: 10 bytes and the text. */
function request(text: string): Uint8Array {
  const url = new TextEncoder().encode(text)
  return new Uint8Array([0x0a, url.length + 2, 0x1a, url.length, ...url])
}

const json = (...texts: string[]): string =>
  JSON.stringify({ resourceSpans: texts.map((schemaUrl) => ({ schemaUrl })) })

function batch(...texts: string[]): Tracked {
  return track(makeBatch('traces', texts.map(request), texts.length, { arrivedAt: 0 }))
}

async function rig(settings: Partial<FileSettings> = {}, id = 'file') {
  const ctx = testContext({ id, signals: ['traces'] })
  const target = path.join(folder, 'data.jsonl')
  const exporter = new FileExporter(
    {
      path: target,
      format: 'json',
      zstdLevel: undefined,
      append: false,
      createDirectory: undefined,
      rotation: undefined,
      ...settings,
    },
    ctx,
  )
  running.push(exporter)
  await exporter.start()
  const write = async (...texts: string[]): Promise<Tracked> => {
    const tracked = batch(...texts)
    exporter.consume(tracked.delivery)
    await vi.waitFor(() => expect(tracked.outcome).toBeDefined())
    return tracked
  }
  return { ctx, exporter, write, target, read: () => fs.readFile(target, 'utf8') }
}

describe('records', () => {
  it('are OTLP/JSON documents a line, one for a batch however many chunks it has', async () => {
    const { write, read } = await rig()
    expect((await write('a', 'b')).events).toEqual(['ok'])
    await write('c')
    expect(await read()).toBe(`${json('a', 'b')}\n${json('c')}\n`)
  })

  it('are whole requests after their length in four bytes as proto', async () => {
    const { write, target } = await rig({ format: 'proto' })
    await write('a', 'b')
    expect([...(await fs.readFile(target))]).toEqual([0, 0, 0, 10, ...request('a'), ...request('b')])
  })

  it('are compressed each by itself', async () => {
    const { write, target } = await rig({ zstdLevel: 0 })
    for (const text of ['a', 'b']) await write(text)
    const bytes = await fs.readFile(target)
    const first = bytes.readUInt32BE()
    expect(zstdDecompressSync(bytes.subarray(4, 4 + first)).toString()).toBe(json('a'))
    const second = bytes.subarray(4 + first)
    expect(second.readUInt32BE()).toBe(second.length - 4)
    expect(zstdDecompressSync(second.subarray(4)).toString()).toBe(json('b'))
  })

  it('stand in the order of arrival, many at once included', async () => {
    const { exporter, read } = await rig()
    const taken = Array.from({ length: 200 }, (_, i) => batch(String(i)))
    for (const { delivery } of taken) exporter.consume(delivery)
    await vi.waitFor(() => expect(taken.every(({ events }) => events[0] === 'ok')).toBe(true))
    expect((await read()).trimEnd().split('\n')).toEqual(taken.map((_, i) => json(String(i))))
  })
})

describe('what was there before', () => {
  it('goes without append and stays with it', async () => {
    await fs.writeFile(path.join(folder, 'data.jsonl'), '{}\n')
    const first = await rig()
    await first.write('a')
    await first.exporter.stop(deadlineIn(first.ctx.clock, 1000))
    const second = await rig({ append: true })
    await second.write('b')
    expect(await second.read()).toBe(`${json('a')}\n${json('b')}\n`)
  })

  it('loses a torn line that a crash left, and says so', async () => {
    await fs.writeFile(path.join(folder, 'data.jsonl'), '{}\n{"resourceSpa')
    const { write, read, ctx } = await rig({ append: true })
    await write('a')
    expect(await read()).toBe(`{}\n${json('a')}\n`)
    expect(ctx.lines.map(({ level, msg }) => [level, msg.endsWith('its 13 bytes are removed')])).toEqual([
      ['warn', true],
    ])
  })

  it('gets the line end that another program left out', async () => {
    await fs.writeFile(path.join(folder, 'data.jsonl'), '{}\n{"a":1}')
    const { write, read } = await rig({ append: true })
    await write('a')
    expect(await read()).toBe(`{}\n{"a":1}\n${json('a')}\n`)
  })

  it('loses a torn frame', async () => {
    await fs.writeFile(path.join(folder, 'data.jsonl'), new Uint8Array([0, 0, 0, 1, 7, 0, 0, 0, 9, 1, 2]))
    const { write, target } = await rig({ append: true, format: 'proto' })
    await write('a')
    expect([...(await fs.readFile(target))]).toEqual([0, 0, 0, 1, 7, 0, 0, 0, 5, ...request('a')])
  })
})

describe('a disk that is full', () => {
  it('refuses with the reason, and leaves no torn record when there is room again', async () => {
    const { ctx, write, read, target } = await rig()
    await write('a')
    const handle = await fs.open(target)
    const prototype = Object.getPrototypeOf(handle) as fs.FileHandle
    await handle.close()
    const append = Reflect.get(prototype, 'appendFile') as (this: fs.FileHandle, data: Uint8Array) => Promise<void>
    vi.spyOn(prototype, 'appendFile').mockImplementationOnce(async function (this: fs.FileHandle, data) {
      await append.call(this, (data as Uint8Array).subarray(0, 5))
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    })
    // Not even what was written in part can be removed yet.
    vi.spyOn(prototype, 'truncate').mockRejectedValueOnce(new Error('EIO'))
    const refused = await write('b')
    expect(refused.outcome).toEqual({
      ok: false,
      failure: {
        verdict: 'retry',
        reason: 'write_failed',
        message: `exporter file: cannot write ${target}: ENOSPC: no space left on device, write`,
      },
    })
    expect(await read()).toBe(`${json('a')}\n{"res`)
    expect((await write('c')).events).toEqual(['ok'])
    expect(await read()).toBe(`${json('a')}\n${json('c')}\n`)
    expect(ctx.lines.map(({ level }) => level)).toEqual(['warn', 'info'])
  })

  it('refuses on a device that takes nothing', async () => {
    const { write } = await rig({ path: '/dev/full' })
    expect((await write('a')).events).toEqual(['retry:write_failed'])
  })
})

describe('start', () => {
  it('says what to do where the directory is missing, and makes it when told to', async () => {
    const missing = path.join(folder, 'deep', 'er', 'data.jsonl')
    await expect(rig({ path: missing })).rejects.toMatchObject({
      code: 'FILE_OPEN',
      message: `exporter file: cannot open ${missing}: its directory does not exist; make it, or set create_directory: true`,
    })
    const { write } = await rig({ path: missing, createDirectory: 0o750 })
    await write('a')
    expect((await fs.stat(path.dirname(missing))).mode & 0o777).toBe(0o750)
  })

  it('refuses a file that another exporter writes, until that one has stopped', async () => {
    const { exporter, ctx } = await rig()
    await expect(rig({}, 'file/2')).rejects.toMatchObject({ code: 'FILE_SHARED' })
    await exporter.stop(deadlineIn(ctx.clock, 1000))
    await exporter.stop(deadlineIn(ctx.clock, 1000))
    await rig({}, 'file/2')
  })
})

describe('rotation', () => {
  it('starts a new file before a record that would not fit, and keeps max_backups', async () => {
    const rotation = { maxBytes: 2 * (json('a').length + 1), maxDays: 0, maxBackups: 2, localTime: false }
    const { ctx, write, read } = await rig({ rotation })
    for (const text of 'abcdefg') {
      await write(text)
      await ctx.clock.advance(1000)
    }
    expect(await read()).toBe(`${json('g')}\n`)
    const names = (await fs.readdir(folder)).sort()
    // Four files were filled at 2, 4 and 6 s; the first two of a, b are gone.
    expect(names).toEqual(['data-2026-01-01T00-00-04.000.jsonl', 'data-2026-01-01T00-00-06.000.jsonl', 'data.jsonl'])
    expect(await fs.readFile(path.join(folder, names[0]!), 'utf8')).toBe(`${json('c')}\n${json('d')}\n`)
  })
})

describe('check', () => {
  const check = (config: object) =>
    file.check?.({
      path: 'x',
      format: 'json',
      append: false,
      compression: '',
      compression_params: undefined,
      create_directory: false,
      directory_permissions: undefined,
      rotation: undefined,
      ...config,
    })
  it.each([
    [{ path: '' }, ['path']],
    [{ append: true, rotation: { max_megabytes: 1, max_days: 0, max_backups: 1, localtime: false } }, ['append']],
    [{ directory_permissions: '0700' }, ['directory_permissions']],
  ])('refuses %j', (config, at) => {
    expect(check(config)).toEqual([{ path: at, message: expect.any(String) as string }])
  })
  it('takes the defaults', () => {
    expect(check({})).toEqual([])
  })
})
