import type { ResolvedConfig } from '../../../src/config/resolved.ts'
import { siblingModule } from '../../../src/lanes/sibling-module.ts'
import { type LaneOptions, Supervisor } from '../../../src/lanes/supervisor.ts'
import { SharedBoard } from '../../../src/memory/shared-board.ts'
import { ThreadMemory } from '../../../src/memory/thread-memory.ts'
import { MeterRegistry } from '../../../src/telemetry/registry.ts'
import { SharedMeter } from '../../../src/telemetry/shared-meter.ts'
import { Admission } from '../../../src/transport/admission.ts'
import { ownTelemetry } from '../../support/own-telemetry.ts'

export interface Started {
  readonly supervisor: Supervisor
  readonly registry: MeterRegistry
  readonly listening: ReturnType<Supervisor['start']>
}

/** Defaults. */
const SOURCE = { items: 10, crash_lane: -1, hog_lane: -1, refuse_start: false, busy: false }
const SINK = { keep: false, slow: false, stuck: false, throw_late: false }

/** A supervisor with lanes from `components.ts`, one pipeline `traces` from `source` to `sink`, with a `hoarder` between them where it has options. */
export function startLanes(
  source: object,
  sink: object = {},
  options: Partial<LaneOptions> & { readonly heapMb?: number } = {},
  hoarder?: { readonly unreadable: boolean },
): Started {
  const component = (id: string, config: object): ResolvedConfig['receivers'] => ({
    [id]: {
      id,
      type: id,
      config: { ...SOURCE, ...SINK, ...config },
      used: true,
    },
  })
  const processors = hoarder === undefined ? [] : ['hoarder']
  const config: ResolvedConfig = {
    receivers: component('source', source),
    processors: hoarder === undefined ? {} : component('hoarder', hoarder),
    exporters: component('sink', sink),
    connectors: {},
    extensions: {},
    service: {
      pipelines: [{ id: 'traces', signal: 'traces', receivers: ['source'], processors, exporters: ['sink'] }],
      extensions: [],
      telemetry: ownTelemetry({ logs: { level: 'fatal', encoding: 'json' }, metrics: { level: 'detailed' } }),
      admission: { limitMib: undefined, limitPercentage: undefined },
      lanes: 1,
      laneRestartsPerMinute: 5,
      shutdownTimeoutMs: 1000,
      featureGates: [],
    },
    secrets: [],
  }
  const registry = new MeterRegistry()
  const own = SharedMeter.memory()
  const supervisor = new Supervisor(siblingModule(import.meta.url, 'components'), options.heapMb)
  const log = { level: 'fatal', encoding: 'json', colour: false, initialFields: {} } as const
  return {
    supervisor,
    registry,
    listening: supervisor.start({
      lanes: 1,
      restartsPerMinute: 5,
      config,
      log,
      registry,
      meter: new SharedMeter(own, registry.attach(own)),
      admission: Admission.memory(1 << 30),
      memory: ThreadMemory.memory(),
      board: SharedBoard.memory(),
      ...options,
    }),
  }
}
