import type { ComponentHealth, Health } from '../../src/component/host.ts'
import type { ResolvedPipeline } from '../../src/config/resolved.ts'

/** Which errors make the whole unhealthy, and after how long. */
export interface ComponentHealthSettings {
  readonly include_permanent_errors: boolean
  readonly include_recoverable_errors: boolean
  /** Milliseconds that a recoverable error is given to go away. */
  readonly recovery_duration: number
}

/** The health of something and of its parts, as healthcheckv2 reports it. */
export interface Status {
  readonly health: Health
  /** Milliseconds since the epoch. */
  readonly since: number
  readonly message?: string
  readonly healthy: boolean
  readonly components: Readonly<Record<string, Status>>
}

/** What decides about several: the first of these that one of them has. */
const DECIDING: readonly Health[] = ['fatal', 'starting', 'stopping', 'permanent', 'recoverable', 'stopped', 'ok']

const NAMES: Readonly<Record<Health, string>> = {
  ok: 'StatusOK',
  starting: 'StatusStarting',
  stopping: 'StatusStopping',
  stopped: 'StatusStopped',
  recoverable: 'StatusRecoverableError',
  permanent: 'StatusPermanentError',
  fatal: 'StatusFatalError',
}

/** The health of the service: its extensions as one part, each pipeline as another. */
export function serviceStatus(
  healths: readonly ComponentHealth[],
  pipelines: readonly ResolvedPipeline[],
  settings: ComponentHealthSettings,
  now: number,
): Status {
  const parts: Record<string, Status> = {}
  const one = (component: ComponentHealth): Status => ({
    ...component,
    healthy: healthy(component, settings, now),
    components: {},
  })
  const extensions = healths.filter(({ kind }) => kind === 'extension')
  if (extensions.length > 0) parts.extensions = together(named(extensions, one))
  for (const { id, receivers, processors, exporters } of pipelines) {
    const members = healths.filter(({ kind, id: member, pipeline }) => {
      if (kind === 'processor') return pipeline === id && processors.includes(member)
      return kind !== 'extension' && (receivers.includes(member) || exporters.includes(member))
    })
    parts[`pipeline:${id}`] = together(named(members, one))
  }
  return together(parts)
}

function named(
  components: readonly ComponentHealth[],
  one: (component: ComponentHealth) => Status,
): Record<string, Status> {
  return Object.fromEntries(components.map((component) => [`${component.kind}:${component.id}`, one(component)]))
}

function together(components: Readonly<Record<string, Status>>): Status {
  const parts = Object.values(components)
  const health = DECIDING.find((each) => parts.some((part) => part.health === each)) ?? 'ok'
  const deciding = parts.filter((part) => part.health === health)
  const latest = deciding.reduce<Status | undefined>(
    (a, b) => (a === undefined || b.since > a.since ? b : a),
    undefined,
  )
  return {
    health,
    since: latest?.since ?? 0,
    ...(latest?.message !== undefined && { message: latest.message }),
    healthy: parts.every((part) => part.healthy),
    components,
  }
}

function healthy({ health, since }: ComponentHealth, settings: ComponentHealthSettings, now: number): boolean {
  switch (health) {
    case 'fatal':
      return false
    case 'permanent':
      return !settings.include_permanent_errors
    case 'recoverable':
      return !settings.include_recoverable_errors || now - since < settings.recovery_duration
    default:
      return true
  }
}

/** The HTTP status of a health: 503 for what starts or stops, 500 for what is unhealthy. */
export function statusCode({ health, healthy }: Status): number {
  if (health === 'starting' || health === 'stopping' || health === 'stopped') return 503
  return healthy ? 200 : 500
}

/** The JSON of healthcheckv2; parts only where `verbose`. */
export function statusJson(status: Status, verbose: boolean, startedAt?: number): Record<string, unknown> {
  const { health, since, message, healthy, components } = status
  const parts = Object.entries(components)
  return {
    ...(startedAt !== undefined && { start_time: new Date(startedAt).toISOString() }),
    healthy,
    status: NAMES[health],
    ...(message !== undefined && { error: message }),
    status_time: new Date(since).toISOString(),
    // What components tell beside their status: nothing here, and there all the same in the Collector's document.
    attributes: {},
    ...(verbose &&
      parts.length > 0 && {
        components: Object.fromEntries(parts.map(([name, part]) => [name, statusJson(part, verbose)])),
      }),
  }
}
