import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import debug from '../../../exporters/debug/debug.ts'
import { type DebugSettings, debugExporter } from '../../../exporters/debug/exporter.ts'
import { queueConfig } from '../../queue/support.ts'
import { deadlineIn, testContext } from '../../support/context.ts'
import { opaqueBatch, type Tracked, track } from '../../support/deliveries.ts'
import { settled } from '../../support/fake-clock.ts'

function rig(settings: Partial<DebugSettings> = {}) {
  const ctx = testContext({ id: 'debug' })
  const exporter = debugExporter(
    { verbosity: 'basic', initial: 2, thereafter: 1, outputPaths: undefined, queue: undefined, ...settings },
    ctx,
  )
  void exporter.start?.()
  const consume = async (items: number, signal: 'traces' | 'logs' = 'traces'): Promise<Tracked> => {
    const tracked = track(opaqueBatch(items, signal))
    exporter.consume(tracked.delivery)
    await settled()
    return tracked
  }
  return { ctx, exporter, consume, printed: () => ctx.lines.map(({ level, msg }) => `${level} ${msg}`) }
}

describe('debug exporter', () => {
  it('prints through the log and says yes', async () => {
    const { consume, printed, ctx } = rig()
    expect((await consume(3)).events).toEqual(['ok'])
    expect(printed()).toEqual(['info traces: 3 spans, 0 resources'])
    expect(ctx.meter.total('otelcol_exporter_sent_spans')).toBe(3)
  })

  it('prints the first of each second, then every so many-th, per signal, and counts the others', async () => {
    const { consume, printed, ctx } = rig({ initial: 2, thereafter: 3 })
    for (let i = 1; i <= 7; i++) await consume(i)
    await consume(1, 'logs')
    await ctx.clock.advance(1000)
    await consume(8)
    expect(printed()).toEqual([
      'info traces: 1 span, 0 resources',
      'info traces: 2 spans, 0 resources',
      'info traces: 5 spans, 0 resources (2 batches before it not shown)',
      'info logs: 1 log record, 0 resources',
      'info traces: 8 spans, 0 resources (2 batches before it not shown)',
    ])
  })

  it('prints only the first where sampling_thereafter is 0', async () => {
    const { consume, printed } = rig({ initial: 1, thereafter: 0 })
    for (let i = 1; i <= 5; i++) expect((await consume(i)).events).toEqual(['ok'])
    expect(printed()).toEqual(['info traces: 1 span, 0 resources'])
  })

  it('appends to files past the log', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-debug-'))
    const path = join(folder, 'out.txt')
    for (const items of [1, 2]) {
      const { consume, exporter, ctx, printed } = rig({ outputPaths: [path] })
      await consume(items)
      await exporter.stop?.(deadlineIn(ctx.clock, 1000))
      expect(printed()).toEqual([])
    }
    expect(await readFile(path, 'utf8')).toBe('traces: 1 span, 0 resources\ntraces: 2 spans, 0 resources\n')
    await rm(folder, { recursive: true })
  })

  it('says that a file cannot be printed to, and goes on', async () => {
    const { consume, exporter, ctx, printed } = rig({ outputPaths: ['/nonexistent/out.txt'] })
    await expect.poll(() => printed()).toHaveLength(1)
    expect((await consume(1)).events).toEqual(['ok'])
    expect(printed()).toEqual([
      "warn prints to /nonexistent/out.txt no more: ENOENT: no such file or directory, open '/nonexistent/out.txt'",
    ])
    await exporter.stop?.(deadlineIn(ctx.clock, 1000))
  })

  it('admits from a queue where it is given one', async () => {
    const { exporter, consume } = rig({ queue: queueConfig() })
    expect(exporter.acknowledges).toBe('admitted')
    expect((await consume(1)).events).toEqual(['admitted', 'ok'])
  })
})

describe('check', () => {
  const check = (use_internal_logger: boolean, output_paths: string[] | undefined) =>
    debug.check?.({
      verbosity: 'basic',
      sampling_initial: 2,
      sampling_thereafter: 1,
      sending_queue: undefined,
      use_internal_logger,
      output_paths,
    })
  it('refuses output_paths beside the log, and none of them', () => {
    expect(check(true, ['stdout'])).toMatchObject([{ path: ['output_paths'] }])
    expect(check(false, [])).toMatchObject([{ path: ['output_paths'] }])
    expect(check(false, undefined)).toEqual([])
    expect(check(true, undefined)).toEqual([])
  })
})
