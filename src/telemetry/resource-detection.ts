import { readFileSync } from 'node:fs'
import { arch, hostname, machine, release, type, userInfo, version } from 'node:os'
import { basename } from 'node:path'
import type { ResourceProblem, ResourceValue } from './own-resource.ts'

/** `detection/development` of `service.telemetry.resource`, read. */
export interface Detection {
  readonly detectors: readonly Detector[]
  /** Attributes that stay; none given: all. */
  readonly included: readonly string[]
  /** But for these. */
  readonly excluded: readonly string[]
}

export type Detector = 'host' | 'process' | 'container' | 'service'
type Found = Record<string, ResourceValue>

/** The detectors of Go's SDK. `service` finds what every resource has on its own. */
const DETECTORS: Readonly<Record<Detector, (read: Read) => Found>> = {
  host: (read) => ({ 'host.name': hostname(), 'os.type': process.platform, 'os.description': system(read) }),
  process: () => ({
    'process.pid': BigInt(process.pid),
    'process.executable.name': basename(process.execPath),
    'process.executable.path': process.execPath,
    'process.command_args': [...process.argv],
    ...owner(),
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
    'process.runtime.description': `Node.js for ${process.platform}/${arch()}`,
  }),
  container(read) {
    const id = containerId(read('/proc/self/cgroup'))
    return id === undefined ? {} : { 'container.id': id }
  },
  service: () => ({}),
}

const CLOUDS = ['gcp', 'aws.ecs', 'aws.eks', 'azure.vm']

/** The text of a file; empty where it cannot be read. */
type Read = (path: string) => string

/** What is wrong is added to `problems`, with its path below `resource`. */
export function readDetection(raw: unknown, problems: ResourceProblem[]): Detection {
  const none = { detectors: [], included: [], excluded: [] }
  if (raw === null || raw === undefined) return none
  const path = ['detection/development']
  if (!isMapping(raw)) {
    problems.push({ path, message: 'expected a mapping with detectors and attributes' })
    return none
  }
  const detectors: Detector[] = []
  const { detectors: list, attributes, ...others } = raw
  for (const key of Object.keys(others)) {
    problems.push({ path: [...path, key], message: 'there is no such key; there are detectors and attributes' })
  }
  if (list !== undefined && list !== null && !Array.isArray(list)) {
    problems.push({ path: [...path, 'detectors'], message: 'expected a list like [{host: {}}, {process: {}}]' })
  }
  for (const [index, item] of (Array.isArray(list) ? list : []).entries()) {
    const at = [...path, 'detectors', index]
    if (!isMapping(item)) problems.push({ path: at, message: 'expected a detector like {host: {}}' })
    for (const name of Object.keys(isMapping(item) ? item : {})) {
      if (Object.hasOwn(DETECTORS, name)) detectors.push(name as Detector)
      else problems.push({ path: [...at, name], message: noDetector(name) })
    }
  }
  const { included = [], excluded = [] } = (isMapping(attributes) ? attributes : {}) as Record<string, unknown>
  if ((attributes ?? undefined) !== undefined && !(isMapping(attributes) && areNames(included) && areNames(excluded))) {
    problems.push({ path: [...path, 'attributes'], message: 'expected lists of names, {included: […], excluded: […]}' })
    return none
  }
  for (const name of included as string[]) {
    if (!(excluded as string[]).includes(name)) continue
    problems.push({ path: [...path, 'attributes'], message: `"${name}" is both included and excluded; remove one` })
  }
  return { detectors, included: included as string[], excluded: excluded as string[] }
}

function noDetector(name: string): string {
  const there = Object.keys(DETECTORS).join(', ')
  return CLOUDS.includes(name)
    ? `not supported: nothing here asks a cloud's metadata service; write its attributes; there are ${there}`
    : `there is no such detector; there are ${there}`
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function areNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}

/** Attributes of the machine and the process that the detectors find. */
export function detect({ detectors, included, excluded }: Detection, read: Read = readText): Found {
  const found: Found = {}
  for (const name of detectors) Object.assign(found, DETECTORS[name](read))
  const stays = (name: string): boolean =>
    !excluded.includes(name) && (included.length === 0 || included.includes(name))
  return Object.fromEntries(Object.entries(found).filter(([name]) => stays(name)))
}

/** The distribution's name and version, where it says, and what `uname -snrvm` says. */
function system(read: Read): string {
  const kernel = `${type()} ${hostname()} ${release()} ${version()} ${machine()}`
  const said = Object.fromEntries(
    (read('/etc/os-release') || read('/usr/lib/os-release'))
      .split('\n')
      .map((line) => /^([A-Z_]+)=(["']?)(.*)\2$/.exec(line.trim()))
      .filter((match) => match !== null)
      .map(([, name, , value]) => [name, value] as const),
  )
  const number = said['VERSION'] || said['VERSION_ID']
  const name = said['NAME'] && number ? `${said['NAME']} ${number}` : said['PRETTY_NAME']
  return name ? `${name} (${kernel})` : kernel
}

/** A user without a name, as in many containers, has none. */
function owner(): Found {
  try {
    return { 'process.owner': userInfo().username }
  } catch {
    return {}
  }
}

/** The hexadecimal end of a path of cgroups v1, `/docker/<id>` or `/…/cri-containerd-<id>.scope`; v2 hides it. */
function containerId(cgroups: string): string | undefined {
  for (const line of cgroups.split('\n')) {
    const last = line
      .trim()
      .slice(line.lastIndexOf('/') + 1)
      .split('.')[0]!
    const id = last.slice(Math.max(last.lastIndexOf('-'), last.lastIndexOf(':')) + 1)
    if (line.includes('/') && /^[0-9a-f]+$/.test(id)) return id
  }
  return undefined
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
