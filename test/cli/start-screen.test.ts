import { expect, test } from 'vitest'
import { startScreen } from '../../src/cli/start-screen.ts'
import type { ResolvedConfig, ResolvedPipeline } from '../../src/config/resolved.ts'

function configOf(pipelines: readonly ResolvedPipeline[]): ResolvedConfig {
  return { service: { pipelines } } as unknown as ResolvedConfig
}

const traces: ResolvedPipeline = {
  id: 'traces',
  signal: 'traces',
  receivers: ['otlp', 'generator'],
  processors: ['attributes', 'batch'],
  exporters: ['otlp_grpc/eu', 'debug'],
}

test('version, lanes, pipelines as they flow, and where it listens', () => {
  const screen = startScreen(
    '1.2.3',
    configOf([traces, { ...traces, id: 'logs/raw', processors: [], exporters: ['file'] }]),
    [{ component: 'receiver otlp', transport: 'grpc', address: '127.0.0.1:4317' }],
    { lanes: 2, rows: 40 },
  )
  expect(screen).toBe(`Sluice 1.2.3 on Node ${process.versions.node}, 2 lanes
  traces    otlp, generator → attributes → batch → otlp_grpc/eu, debug
  logs/raw  otlp, generator → file
listening
  receiver otlp  grpc  127.0.0.1:4317
Ctrl-C stops and drains; a second one stops at once.`)
})

test('a hundred pipelines still fit one screen, and it says what is left out', () => {
  const many = Array.from({ length: 100 }, (_, i) => ({ ...traces, id: `traces/${i}` }))
  const lines = startScreen('1', configOf(many), [], { lanes: 1, rows: 24 }).split('\n')
  expect(lines.length).toBeLessThanOrEqual(24)
  expect(lines).toContain(`  … and ${100 - (lines.length - 3)} more pipelines`)
})
