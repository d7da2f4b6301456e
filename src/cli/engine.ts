import { availableParallelism } from 'node:os'
import { admissionReadings } from '../admin/admission-readings.ts'
import { EngineHost } from '../admin/engine-host.ts'
import { HealthBook } from '../admin/health-book.ts'
import { HostedExtensions } from '../admin/hosted-extensions.ts'
import { connectionReadings, laneInstruments } from '../admin/lane-instruments.ts'
import { OwnTelemetry } from '../admin/own-telemetry.ts'
import { systemClock } from '../clock.ts'
import type { ResolvedConfig } from '../config/resolved.ts'
import { SluiceError } from '../errors.ts'
import { deadlineIn } from '../lanes/deadline.ts'
import { itemsText } from '../lanes/ended-lane.ts'
import { type Listening, laneName } from '../lanes/protocol.ts'
import type { Supervisor } from '../lanes/supervisor.ts'
import { budgetBytes } from '../memory/budget.ts'
import { SharedBoard } from '../memory/shared-board.ts'
import { ThreadMemory } from '../memory/thread-memory.ts'
import { type LedgerRow, ledgerRows, ledgerTable, total } from '../telemetry/ledger.ts'
import { Admission } from '../transport/admission.ts'
import { MOST_LANES } from '../transport/connection-share.ts'
import { version } from '../version.ts'
import type { ConfigSources } from './command-line.ts'
import { loadOrReport } from './load.ts'
import { Signals } from './signals.ts'
import { startScreen } from './start-screen.ts'

/** Runs a configuration, whose lanes `supervisor` starts, until a signal or a failure. Resolves with the exit code. */
export async function runEngine(supervisor: Supervisor, sources: ConfigSources): Promise<number> {
  const loaded = await loadOrReport(sources)
  if (loaded === undefined) {
    await supervisor.stop(0)
    return 1
  }
  const { config, definitions, warnings, notes } = loaded
  const own = ownTelemetry(config)
  if (own === undefined) {
    await supervisor.stop(0)
    return 1
  }
  const { log, registry, meter } = own
  for (const warning of warnings) log.warn(warning)
  for (const note of notes) log.info(note)

  const signals = new Signals((text) => log.warn(text))
  const health = new HealthBook(config, () => systemClock.now())
  const workers = (): Supervisor['threads'] => supervisor.threads
  const budget = Admission.memory(budgetBytes(config.service.admission))
  const admission = new Admission(budget)
  const threads = ThreadMemory.memory()
  const board = SharedBoard.memory()
  registry.observe(() => [...admissionReadings(admission), ...connectionReadings(supervisor.connections)])
  const lanes = laneInstruments(meter)
  const hosted = new HostedExtensions({
    host: new EngineHost({
      version: version(),
      resource: own.resourceTexts,
      config,
      definitions,
      health,
      registry,
      workers,
      spans: () => own.spans(),
    }),
    definitions,
    admission,
    memory: new ThreadMemory(threads, 0),
    board: new SharedBoard(board, 0),
    log,
    meter,
    health,
  })
  const slots = laneCount(config.service.lanes)
  try {
    const listening = await Promise.all([
      supervisor.start({
        lanes: slots,
        restartsPerMinute: config.service.laneRestartsPerMinute,
        config,
        log: own.logOptions,
        registry,
        meter,
        admission: budget,
        memory: threads,
        board,
        onHealth: (report, lane) => health.take(report, lane),
        onLogLine: (line) => own.takeLine(line),
        onSpans: (spans) => own.takeSpans(spans),
        onLanes: (running) => lanes.running(running),
        onGone: (lane) => health.forget(lane),
        onLost: ({ lane, reason, items, replaced }) => {
          if (replaced) lanes.replaced(laneName(lane))
          const next = replaced ? '; another takes its place' : ''
          log.error({ err: reason }, `${laneName(lane)} is lost, and what it held with it: ${itemsText(items)}${next}`)
        },
      }),
      hosted.start(),
      own.start(),
    ]).then(([lane, extensions, pulled]) => [...extensions, ...lane, ...pulled])
    announce(own, config, slots, listening)
    void supervisor.ready().then(() => {
      if (health.phase !== 'starting') return
      health.phase = 'running'
      hosted.ready()
    })
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    log.fatal(`${error.message}  (${error.code})`)
    await supervisor.stop(0)
    await stopHosted(hosted, 0)
    await own.stop(FAILED_START_MS)
    return 1
  }

  let gaveUp: SluiceError | undefined
  await Promise.race([
    signals.first,
    supervisor.ended.catch((error: SluiceError) => {
      gaveUp = error
      log.fatal(`${error.message}  (${error.code})`)
    }),
  ])

  const before = ledgerRows(registry.read())
  const timeoutMs = config.service.shutdownTimeoutMs
  log.info(`stopping: draining for at most ${timeoutMs / 1000} s; a second signal ends at once`)
  void signals.second.then(() => {
    log.warn('ended at once by a second signal; what was held in memory is lost')
    process.exit(1)
  })
  health.phase = 'stopping'
  hosted.stopping()
  await supervisor.stop(timeoutMs)
  health.phase = 'stopped'
  await stopHosted(hosted, LAST_ANSWERS_MS)
  report(own, before, ledgerRows(registry.read()))
  await own.stop(LAST_EXPORTS_MS)
  signals.release()
  return gaveUp === undefined ? 0 : 1
}

/** How many lanes `service.lanes` stands for. */
function laneCount(lanes: number | 'auto'): number {
  return lanes === 'auto' ? Math.min(availableParallelism(), MOST_LANES) : lanes
}

/** Undefined, and the reason on standard error, where log lines have nowhere to go. */
function ownTelemetry({ service }: ResolvedConfig): OwnTelemetry | undefined {
  try {
    return new OwnTelemetry({
      config: service.telemetry,
      version: version(),
      clock: systemClock,
      terminal: process.stderr.isTTY === true,
      startedAt: performance.timeOrigin,
    })
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    process.stderr.write(`${error.message}  (${error.code})\n`)
    return undefined
  }
}

/** What own telemetry gets to leave when everything else has stopped. */
const LAST_EXPORTS_MS = 5000
const FAILED_START_MS = 500

/** What extensions beside the lanes get for the answers that are on their way when everything else has stopped. */
const LAST_ANSWERS_MS = 1000

async function stopHosted(hosted: HostedExtensions, ms: number): Promise<void> {
  const deadline = deadlineIn(ms)
  await hosted.stop(deadline)
  deadline.clear()
}

function announce(
  { log, logOptions }: OwnTelemetry,
  config: ResolvedConfig,
  lanes: number,
  listening: readonly Listening[],
): void {
  if (logOptions.encoding === 'console') {
    process.stderr.write(`${startScreen(version(), config, listening, { lanes, rows: process.stderr.rows ?? 40 })}\n`)
    return
  }
  const pipelines = config.service.pipelines.map(({ id }) => id)
  log.info({ version: version(), node: process.versions.node, lanes, pipelines, listening }, 'started')
}

/** Says by number what the stop drained and what it did not, and shows the books. */
function report({ log, logOptions }: OwnTelemetry, before: readonly LedgerRow[], after: readonly LedgerRow[]): void {
  const held = sum(before, (row) => row.held)
  const drained = sum(after, (row) => row.sent) - sum(before, (row) => row.sent)
  const lost = sum(after, (row) => total(row.failed)) - sum(before, (row) => total(row.failed))
  const left = sum(after, (row) => row.held)
  const numbers = { held, drained, failed: lost, left }
  const text = `stopped: ${held} items were held, ${drained} delivered while stopping, ${lost} failed, ${left} unaccounted for`
  if (lost + left > 0) log.error(logOptions.encoding === 'json' ? numbers : {}, text)
  else log.info(logOptions.encoding === 'json' ? numbers : {}, text)
  if (logOptions.encoding === 'console') process.stderr.write(`${ledgerTable(after)}\n`)
  else log.info({ ledger: after }, 'ledger')
}

function sum(rows: readonly LedgerRow[], value: (row: LedgerRow) => number): number {
  return rows.reduce((all, row) => all + value(row), 0)
}
