import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { aboutComponent, type LogOptions, makeLogger } from '../../src/telemetry/log.ts'
import { LogSampler } from '../../src/telemetry/log-sampling.ts'
import { encodeLogs } from '../../src/telemetry/otlp-logs.ts'
import { readProtobufjs } from '../otlp/support/oracles.ts'

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-logs-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

const options = (path: string, more: Partial<LogOptions> = {}): LogOptions => ({
  level: 'info',
  encoding: 'json',
  colour: false,
  initialFields: { x: 1 },
  outputPaths: [path],
  ...more,
})

const lines = (path: string): Record<string, unknown>[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

test('JSON lines have the fields of the Collector, in every file that is named', () => {
  const [a, b] = [join(folder(), 'a.log'), join(folder(), 'b.log')]
  const log = makeLogger(options(a, { outputPaths: [a, b], resource: { 'service.name': 'me' } }))
  log.debug('too low')
  log.child(aboutComponent('processor', 'batch', 'traces/eu', 'traces')).warn({ items: 3 }, 'odd')
  const [{ ts, ...line }] = lines(a) as [Record<string, unknown>]
  expect(line).toEqual({
    level: 'warn',
    msg: 'odd',
    x: 1,
    items: 3,
    resource: { 'service.name': 'me' },
    'otelcol.component.id': 'batch',
    'otelcol.component.kind': 'processor',
    'otelcol.pipeline.id': 'traces/eu',
    'otelcol.signal': 'traces',
  })
  expect(ts).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  expect(readFileSync(b, 'utf8')).toBe(readFileSync(a, 'utf8'))
})

test('console lines say who speaks before what', () => {
  const path = join(folder(), 'a.log')
  const log = makeLogger(options(path, { encoding: 'console', initialFields: {} }))
  log.child(aboutComponent('exporter', 'otlp/eu')).error('gone')
  expect(readFileSync(path, 'utf8')).toMatch(/^\[[\d:.]+\] ERROR: exporter otlp\/eu: gone\n$/)
})

test('stacks of errors are left out where that is asked', () => {
  const path = join(folder(), 'a.log')
  makeLogger(options(path)).error({ err: new Error('why') }, 'with')
  makeLogger(options(path, { withoutStacks: true })).error({ err: new Error('why') }, 'without')
  const [first, second] = lines(path) as { err: { message: string; stack?: string } }[]
  expect(first!.err.stack).toContain('logs.test.ts')
  expect(second!.err).toEqual({ type: 'Error', message: 'why' })
})

test('a file that cannot be opened is named with its option', () => {
  const path = join(folder(), 'none', 'a.log')
  expect(() => makeLogger(options(path))).toThrow(
    expect.objectContaining({
      code: 'LOG_OUTPUT',
      message: expect.stringContaining(`service.telemetry.logs.output_paths: cannot open ${path}: ENOENT`),
    }),
  )
})

test('of the same lines the first are written in each tick, then every so manieth', () => {
  let now = 0
  const sampler = new LogSampler({ tickMs: 1000, initial: 2, thereafter: 3 }, () => now)
  const taken = (times: number): number[] =>
    Array.from({ length: times }, (_, i) => i + 1).filter(() => sampler.takes(30, 'm'))
  expect(taken(8)).toEqual([1, 2, 5, 8])
  expect(sampler.takes(30, 'other')).toBe(true)
  expect(sampler.takes(50, 'm')).toBe(true)
  now = 1000
  expect(taken(3)).toEqual([1, 2])
})

test('lines of all threads are counted together', () => {
  const sampling = { tickMs: 1000, initial: 3, thereafter: 0, counts: LogSampler.memory() }
  const [one, other] = [new LogSampler(sampling, () => 5), new LogSampler(sampling, () => 6)]
  const taken = [one, other, one, other, one].map((sampler) => sampler.takes(30, 'm'))
  expect(taken).toEqual([true, true, true, false, false])
  expect(other.takes(30, 'n')).toBe(true)
})

test('more messages than there is room for share a count, and have room again when their tick is over', () => {
  let now = 0
  const sampler = new LogSampler({ tickMs: 1000, initial: 1, thereafter: 0 }, () => now)
  const messages = Array.from({ length: 6000 }, (_, i) => `peer 10.0.${i >> 8}.${i & 255} is gone`)
  const first = messages.filter((message) => sampler.takes(40, message)).length
  expect(first).toBeGreaterThan(3800)
  expect(first).toBeLessThanOrEqual(4096 + 1)
  now = 1000
  expect(messages.slice(5000).filter((message) => sampler.takes(40, message))).toHaveLength(1000)
})

test('a logger thins out by level and message', () => {
  const path = join(folder(), 'a.log')
  const log = makeLogger(options(path, { sampling: { tickMs: 60_000, initial: 2, thereafter: 0 } }))
  for (let i = 0; i < 5; i++) log.info({ i }, 'same')
  log.info('another')
  expect(lines(path).map(({ msg, i }) => [msg, i])).toEqual([
    ['same', 0],
    ['same', 1],
    ['another', undefined],
  ])
})

test('lines become log records: severity, body, and the rest as attributes', () => {
  const path = join(folder(), 'a.log')
  const forwarded: string[] = []
  const log = makeLogger(options(path, { resource: { a: 'b' } }), (line) => void forwarded.push(line))
  log.warn({ n: 3, share: 0.5, list: ['x'], deep: { yes: true } }, 'odd')
  const request = encodeLogs(forwarded, { attributes: { 'service.name': 'me' }, schemaUrl: 'u' }, '9', 1_000)
  const text = JSON.stringify(readProtobufjs('logs', request), (_, value: unknown) =>
    typeof value === 'bigint' ? Number(value) : value,
  )
  const { resourceLogs } = JSON.parse(text) as {
    resourceLogs: { schemaUrl: string; scopeLogs: { logRecords: Record<string, unknown>[] }[] }[]
  }
  expect(resourceLogs[0]!.schemaUrl).toBe('u')
  const [{ timeUnixNano, ...record }] = resourceLogs[0]!.scopeLogs[0]!.logRecords as [Record<string, unknown>]
  expect(Number(timeUnixNano)).toBeGreaterThan(1e18)
  expect(record).toMatchObject({ severityNumber: 13, severityText: 'warn', body: { stringValue: 'odd' } })
  const keys = (record['attributes'] as { key: string }[]).map(({ key }) => key)
  expect(keys).toEqual(['x', 'n', 'share', 'list', 'deep'])
})
