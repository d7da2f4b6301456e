import { expect, onTestFinished, test } from 'vitest'
import type { ResolvedConfig } from '../../src/config/resolved.ts'
import { siblingModule } from '../../src/lanes/sibling-module.ts'
import { Supervisor } from '../../src/lanes/supervisor.ts'
import { ThreadMemory } from '../../src/memory/thread-memory.ts'
import { ledgerRows } from '../../src/telemetry/ledger.ts'
import { MeterRegistry } from '../../src/telemetry/registry.ts'
import { Admission } from '../../src/transport/admission.ts'
import { ownTelemetry } from '../support/own-telemetry.ts'

interface Started {
  readonly supervisor: Supervisor
  readonly registry: MeterRegistry
  readonly listening: ReturnType<Supervisor['start']>
}

function start(source: object, sink: object = {}): Started {
  const component = (id: string, config: object): ResolvedConfig['receivers'] => ({
    [id]: {
      id,
      type: id,
      config: { items: 10, crash: false, refuse_start: false, keep: false, ...config },
      used: true,
    },
  })
  const config: ResolvedConfig = {
    receivers: component('source', source),
    processors: {},
    exporters: component('sink', sink),
    connectors: {},
    extensions: {},
    service: {
      pipelines: [{ id: 'traces', signal: 'traces', receivers: ['source'], processors: [], exporters: ['sink'] }],
      extensions: [],
      telemetry: ownTelemetry({ logs: { level: 'fatal', encoding: 'json' }, metrics: { level: 'detailed' } }),
      admission: { limitMib: undefined, limitPercentage: undefined },
      lanes: 1,
      shutdownTimeoutMs: 1000,
      featureGates: [],
    },
    secrets: [],
  }
  const registry = new MeterRegistry()
  const supervisor = new Supervisor(siblingModule(import.meta.url, 'support/components'))
  onTestFinished(() => supervisor.stop(0))
  const log = { level: 'fatal', encoding: 'json', colour: false, initialFields: {} } as const
  return {
    supervisor,
    registry,
    listening: supervisor.start({
      config,
      log,
      registry,
      admission: Admission.memory(1 << 30),
      memory: ThreadMemory.memory(),
    }),
  }
}

test('pipelines run in a thread of their own, whose books the supervisor reads', async () => {
  const { supervisor, registry, listening } = start({ items: 7 })
  expect(await listening).toEqual([{ component: 'receiver source', transport: 'none', address: 'nowhere:1' }])
  await supervisor.stop(1000)
  await supervisor.ended
  expect(ledgerRows(registry.read())).toMatchObject([{ pipeline: 'traces', accepted: 7, sent: 7, held: 0 }])
})

test('what is still held at a stop is given up and booked', async () => {
  const { supervisor, registry, listening } = start({ items: 3 }, { keep: true })
  await listening
  expect(ledgerRows(registry.read())).toMatchObject([{ accepted: 3, sent: 0, held: 3 }])
  await supervisor.stop(1000)
  expect(ledgerRows(registry.read())).toMatchObject([{ accepted: 3, failed: { stopping: 3 }, held: 0 }])
})

test('a start that fails says which component and why', async () => {
  const { listening } = start({ refuse_start: true })
  await expect(listening).rejects.toMatchObject({
    code: 'LISTEN_FAILED',
    message: 'receiver source: there is no such place',
  })
})

test('a thread that throws ends with its reason, and its books stay', async () => {
  const { supervisor, registry, listening } = start({ items: 4, crash: true })
  await listening
  await expect(supervisor.ended).rejects.toMatchObject({
    code: 'LANE_LOST',
    message: expect.stringContaining('lost my mind'),
  })
  expect(ledgerRows(registry.read())).toMatchObject([{ accepted: 4, sent: 4, held: 0 }])
})
