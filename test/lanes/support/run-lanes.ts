import type builtIn from '../../../src/cli/components.ts'
import { registryOf } from '../../../src/component/registry.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { siblingModule } from '../../../src/lanes/sibling-module.ts'
import { type LaneOptions, type LostLane, Supervisor } from '../../../src/lanes/supervisor.ts'
import { SharedBoard } from '../../../src/memory/shared-board.ts'
import { ThreadMemory } from '../../../src/memory/thread-memory.ts'
import { type LedgerRow, ledgerRows } from '../../../src/telemetry/ledger.ts'
import { MeterRegistry } from '../../../src/telemetry/registry.ts'
import { SharedMeter } from '../../../src/telemetry/shared-meter.ts'
import { Admission } from '../../../src/transport/admission.ts'

/** Lanes that run a configuration. */
export interface RunningLanes {
  readonly supervisor: Supervisor
  readonly registry: MeterRegistry
  readonly budget: Admission
  /** Lanes that were lost so far. */
  readonly lost: readonly LostLane[]
  /** `host:port` where `component` listens by `transport`. */
  address(component: string, transport: string): string
  ledger(): LedgerRow[]
}

/** Log lines at this level and above go to standard error. */
const LOG = { level: 'fatal', encoding: 'json', colour: false, initialFields: {} } as const

/**
 * Runs a configuration, as YAML's data, with the built-in components, or those that the module `components` lists as
 * well. Resolves when every lane has started.
 */
export async function runLanes(
  yaml: object,
  options: Partial<LaneOptions> & { readonly components?: string } = {},
): Promise<RunningLanes> {
  const { components = siblingModule(new URL('../../../src/cli/run.ts', import.meta.url).href, 'components') } = options
  const lists = ((await import(components)) as { readonly default: typeof builtIn }).default
  const loaded = await loadConfig(
    { config: [`yaml:${JSON.stringify(yaml)}`], env: {}, cwd: process.cwd() },
    registryOf(lists),
  )
  if (loaded.config === undefined) throw new Error(loaded.problems.map(({ message }) => message).join('\n'))
  const registry = new MeterRegistry()
  const memory = SharedMeter.memory()
  const lost: LostLane[] = []
  const admission = Admission.memory(1 << 30)
  const supervisor = new Supervisor(components)
  const listening = await supervisor.start({
    lanes: 1,
    restartsPerMinute: 5,
    config: loaded.config,
    log: LOG,
    registry,
    meter: new SharedMeter(memory, registry.attach(memory)),
    admission,
    memory: ThreadMemory.memory(),
    board: SharedBoard.memory(),
    onLost: (lane) => lost.push(lane),
    ...options,
  })
  await supervisor.complete()
  return {
    supervisor,
    registry,
    budget: new Admission(admission),
    lost,
    address(component, transport) {
      const found = listening.find((each) => each.component === component && each.transport === transport)
      if (found === undefined) throw new Error(`no ${transport} of ${component} in ${JSON.stringify(listening)}`)
      return found.address
    },
    ledger: () => ledgerRows(registry.read()),
  }
}
