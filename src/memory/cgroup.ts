import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Above, cgroup v1 means that there is no limit: it says nearly 2^63. */
const NO_LIMIT = 2 ** 60

/** Where a hierarchy is mounted, and which of its cgroups that place shows. */
interface Mount {
  readonly root: string
  readonly point: string
}

/**
 * The memory limit of this process' cgroup in bytes: the least of its own and its ancestors', for each binds; undefined where there
 * is none, or no Linux. Of v2, v1 and both at once. Node's own `process.constrainedMemory` leaves ancestors out.
 * `system` is what stands for `/` in tests.
 */
export function cgroupMemoryLimit(system = '/'): number | undefined {
  const cgroups = read(join(system, 'proc/self/cgroup'))
  const mounts = read(join(system, 'proc/self/mountinfo'))
  if (cgroups === undefined || mounts === undefined) return undefined
  const limits: number[] = []
  for (const line of cgroups.split('\n')) {
    // `0::/path` of v2, `4:memory:/path` of v1: cgroups(7).
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    if (path === undefined || controllers === undefined) continue
    const unified = controllers === ''
    if (!unified && !controllers.split(',').includes('memory')) continue
    const mount = mountOf(mounts, unified)
    if (mount === undefined) continue
    const file = unified ? 'memory.max' : 'memory.limit_in_bytes'
    for (let place = below(path, mount.root); ; place = place.slice(0, place.lastIndexOf('/'))) {
      // v2 writes `max` where there is none.
      const limit = Number(read(join(system, mount.point, place, file)) ?? Number.NaN)
      if (limit > 0 && limit < NO_LIMIT) limits.push(limit)
      if (place === '') break
    }
  }
  return limits.length === 0 ? undefined : Math.min(...limits)
}

/** The first mount of the hierarchy that limits memory, as proc_pid_mountinfo(5) describes the file. */
function mountOf(mounts: string, unified: boolean): Mount | undefined {
  for (const line of mounts.split('\n')) {
    const [before, after] = line.split(' - ')
    const [, , , root, point] = before!.split(' ')
    const [type, , options = ''] = after?.split(' ') ?? []
    if (root === undefined || point === undefined) continue
    const fits = unified ? type === 'cgroup2' : type === 'cgroup' && options.split(',').includes('memory')
    if (fits) return { root: unescaped(root), point: unescaped(point) }
  }
  return undefined
}

/** The path of a cgroup below what is mounted; the mount itself where the path lies outside, as in some containers. */
function below(path: string, root: string): string {
  if (root === '/') return path === '/' || path.startsWith('/..') ? '' : path
  return path.startsWith(`${root}/`) ? path.slice(root.length) : ''
}

/** Spaces and such are written in octal. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
