import { threadId } from 'node:worker_threads'
import type { Logger } from 'pino'
import { systemClock } from '../clock.ts'
import type { ComponentContext } from '../component/contracts.ts'
import { MemoryStorage } from '../component/memory-storage.ts'
import { type ComponentLists, definitionOf, registryOf } from '../component/registry.ts'
import { SluiceError } from '../errors.ts'
import { type ComponentState, type ContextScope, Graph, type GraphEnvironment } from '../graph/graph.ts'
import { giveBackIdleMemory } from '../memory/idle-memory.ts'
import { SharedBoard } from '../memory/shared-board.ts'
import { ThreadMemory } from '../memory/thread-memory.ts'
import type { Signal } from '../otlp/batch.ts'
import { aboutComponent, inLane, makeLogger } from '../telemetry/log.ts'
import { requestTracer } from '../telemetry/request-tracer.ts'
import { SharedMeter } from '../telemetry/shared-meter.ts'
import { SpanOutbox } from '../telemetry/span-outbox.ts'
import { threadMetrics } from '../telemetry/thread-metrics.ts'
import { Admission } from '../transport/admission.ts'
import { sharePorts } from '../transport/port-sharing.ts'
import { endOnCrash } from './crash.ts'
import { deadlineIn } from './deadline.ts'
import { healthGauge } from './health-gauge.ts'
import { Inbox } from './inbox.ts'
import { laneSpreader } from './lane-spreader.ts'
import { Mesh } from './mesh.ts'
import { meshNamesakes } from './mesh-namesakes.ts'
import { Peers } from './peers.ts'
import { type FromLane, type LaneTask, type Listening, laneName, threadOf } from './protocol.ts'
import { spreadEntrances } from './spread-entrance.ts'

/** The components, as the thread's one argument names them; loaded with the thread, before there is a task. */
const lists = import(process.argv[2]!) as Promise<{ readonly default: ComponentLists }>
// A failure is the task's to report.
lists.catch(() => {})

/** How long a start that failed may take to stop what had already started. */
const CLEAN_UP_MS = 5_000

/**
 * One lane: complete pipelines in this worker thread. The task ends when the supervisor says stop, or at once when the
 * start failed.
 */
export default async function lane(task: LaneTask): Promise<void> {
  const { port } = task
  const say = (message: FromLane): void => port.postMessage(message)
  const peers = new Peers()
  const mesh = new Mesh({ lane: task.lane, lanes: task.lanes, clock: systemClock })
  const inbox = new Inbox(port, peers)
  endOnCrash((error) => say({ type: 'crashed', error }))
  say({ type: 'hello', thread: threadId })
  // What components say of their configuration as they start, the first lane has said.
  let repeats = task.lane > 0 || task.generation > 0
  let givingBack: ReturnType<typeof giveBackIdleMemory> | undefined
  try {
    const log = laneLogger(task, say, () => repeats)
    const listening: Listening[] = []
    const spans = new SpanOutbox(systemClock, (finished) => say({ type: 'spans', spans: finished }))
    const { level } = task.config.service.telemetry.metrics
    const meter = new SharedMeter(task.meter, (series) => say({ type: 'series', series }), level)
    const figures = threadMetrics(meter, laneName(task.lane))
    givingBack = giveBackIdleMemory(systemClock)
    sharePorts({
      lane: task.lane,
      first: task.lane === 0 && task.generation === 0,
      bound: task.ports,
      connections: task.connections,
      onBound: (bound) => say({ type: 'bound', bound }),
    })
    const environment = await environmentOf(task, { say, log, listening, spans, meter, mesh })
    const graph = await Graph.build(task.config, environment)
    inbox.read()
    if (inbox.stopping) return
    await graph.start(() => deadlineIn(CLEAN_UP_MS))
    repeats = false
    // Not before: what comes from other lanes goes to components.
    peers.listen({
      joined: (lane, port) => mesh.connect(lane, port),
      leaves: (lane) => mesh.leaves(lane),
      left: (lane) => mesh.disconnect(lane),
    })
    inbox.onState = (state) => importState(graph, state, log)
    say({ type: 'started', listening })
    const { warmUp } = await import('./warm-up.ts')
    await warmUp(task.config, environment, () => inbox.stopping)
    say({ type: 'ready' })
    const { timeoutMs, handOver } = await inbox.stop
    const deadline = deadlineIn(timeoutMs)
    await graph.stop(
      deadline,
      (component, err) => log.error({ component, err }, 'did not stop cleanly'),
      handOver
        ? ({ component, piece }) => say({ type: 'state', state: { component, piece: piece.slice() } })
        : undefined,
    )
    deadline.clear()
    spans.flush()
    figures.stop()
  } catch (error) {
    const code = error instanceof SluiceError ? error.code : 'START_FAILED'
    say({ type: 'failed', code, message: error instanceof Error ? error.message : String(error) })
  } finally {
    givingBack?.stop()
    mesh.close()
    peers.close()
    port.close()
  }
}

function importState(graph: Graph, state: readonly ComponentState[], log: Logger): void {
  for (const each of state) {
    try {
      graph.importState(each)
    } catch (err) {
      log.error({ component: each.component, err }, 'state of the lane before was lost: it cannot be taken in')
    }
  }
}

function laneLogger({ log, lane, lanes }: LaneTask, say: (message: FromLane) => void, quiet: () => boolean): Logger {
  const logger = makeLogger(log, log.forwarded ? (line) => say({ type: 'log', line }) : undefined, quiet)
  // With one lane there is nothing to tell apart.
  return lanes > 1 ? logger.child(inLane(laneName(lane))) : logger
}

function onlyOf(signals: readonly Signal[]): Signal | undefined {
  return signals.length === 1 ? signals[0] : undefined
}

/** Where what a graph has to tell goes. */
interface Outlets {
  readonly say: (message: FromLane) => void
  readonly log: Logger
  readonly listening: Listening[]
  readonly spans: SpanOutbox
  readonly meter: SharedMeter
  readonly mesh: Mesh
}

async function environmentOf(
  task: LaneTask,
  { say, log, listening, spans, meter, mesh }: Outlets,
): Promise<GraphEnvironment> {
  const registry = registryOf((await lists).default)
  const board = new SharedBoard(task.board, threadOf(task.lane))
  const { traces } = task.config.service.telemetry
  const tracer = requestTracer(traces, systemClock, (span) => spans.add(span), board.piece('own spans'))
  const admission = new Admission(task.admission, threadOf(task.lane))
  const memory = processMemory(task, admission, say)
  const context = (scope: ContextScope): ComponentContext => ({
    kind: scope.kind,
    id: scope.id,
    signals: scope.signals,
    ...(scope.pipeline !== undefined && { pipeline: scope.pipeline }),
    ...(scope.ledger && { ledger: scope.ledger }),
    log: log.child(aboutComponent(scope.kind, scope.id, scope.pipeline, onlyOf(scope.signals))),
    meter,
    tracer,
    clock: systemClock,
    lane: { index: task.lane, count: task.lanes },
    namesakes: meshNamesakes(mesh, scope),
    storage: new MemoryStorage(),
    admission,
    memory,
    shared: (name) => board.piece(`${scope.kind} ${scope.id} ${name}`),
    listening: ({ transport, address }) => {
      listening.push({ component: `${scope.kind} ${scope.id}`, transport, address })
    },
    extension: (id) => scope.extension(id),
    report: reporter(scope, meter, say),
  })
  return {
    definition: (kind, type) => definitionOf(registry, kind, type),
    context,
    ...(task.lanes > 1 && { entrance: spreadEntrances(mesh, laneSpreader(mesh, board, systemClock), meter) }),
    lane: task.lane,
  }
}

function processMemory(
  { memory, lane }: LaneTask,
  admission: Admission,
  say: (message: FromLane) => void,
): ComponentContext['memory'] {
  const threads = new ThreadMemory(memory, threadOf(lane))
  let watched = false
  return {
    used() {
      if (!watched) say({ type: 'watchMemory' })
      watched = true
      // What is booked for requests lies in buffers and is counted there.
      return threads.used() + admission.connections
    },
  }
}

/** Shows the health of a component as a metric and tells the supervisor, both when it changes only. */
function reporter(
  { kind, id, pipeline }: ContextScope,
  meter: SharedMeter,
  say: (message: FromLane) => void,
): ComponentContext['report'] {
  let last = ''
  return (health, message) => {
    const said = `${health} ${message ?? ''}`
    if (said === last) return
    last = said
    healthGauge(meter, `${kind} ${id}`).set(health === 'ok' ? 1 : 0)
    const about = { kind, id, ...(pipeline !== undefined && { pipeline }) }
    say({ type: 'health', report: { ...about, health, ...(message !== undefined && { message }) } })
  }
}
