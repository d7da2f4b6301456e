// Trees as the kernel shows them, in a temporary folder. What this does not show: every kernel's.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { cgroupMemoryLimit } from '../../src/memory/cgroup.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A file system with these files; the limit that is read from it. */
function limitIn(files: Readonly<Record<string, string>>): number | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-cgroup-'))
  folders.push(folder)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), `${text}\n`)
  }
  return cgroupMemoryLimit(folder)
}

const V2 = '29 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate'
const V1 = [
  '23 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw',
  '34 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct',
  '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory',
].join('\n')
const NO_V1_LIMIT = '9223372036854771712'

test.each([
  [
    'v2: its own',
    {
      'proc/self/cgroup': '0::/system.slice/sluice.service',
      'proc/self/mountinfo': V2,
      'sys/fs/cgroup/system.slice/sluice.service/memory.max': '1073741824',
      'sys/fs/cgroup/system.slice/memory.max': 'max',
    },
    1_073_741_824,
  ],
  [
    'v2: that of an ancestor, which is lower',
    {
      'proc/self/cgroup': '0::/kube.slice/pod1/main',
      'proc/self/mountinfo': V2,
      'sys/fs/cgroup/kube.slice/pod1/main/memory.max': '2000000000',
      'sys/fs/cgroup/kube.slice/pod1/memory.max': '500000000',
      'sys/fs/cgroup/kube.slice/memory.max': '800000000',
    },
    500_000_000,
  ],
  [
    'v2: in a container with a cgroup namespace, which sees itself as the root',
    { 'proc/self/cgroup': '0::/', 'proc/self/mountinfo': V2, 'sys/fs/cgroup/memory.max': '268435456' },
    268_435_456,
  ],
  [
    'v2: without a namespace, a path that leads out of the container',
    { 'proc/self/cgroup': '0::/../other', 'proc/self/mountinfo': V2, 'sys/fs/cgroup/memory.max': '268435456' },
    268_435_456,
  ],
  [
    'v2: no limit',
    { 'proc/self/cgroup': '0::/a', 'proc/self/mountinfo': V2, 'sys/fs/cgroup/a/memory.max': 'max' },
    undefined,
  ],
  [
    'v1: its own, by the hierarchy that has the memory controller',
    {
      'proc/self/cgroup': '5:cpu,cpuacct:/x\n4:memory:/y/z\n1:name=systemd:/w',
      'proc/self/mountinfo': V1,
      'sys/fs/cgroup/memory/y/z/memory.limit_in_bytes': '536870912',
      'sys/fs/cgroup/memory/y/memory.limit_in_bytes': NO_V1_LIMIT,
      'sys/fs/cgroup/memory/memory.limit_in_bytes': NO_V1_LIMIT,
      'sys/fs/cgroup/memory/x/memory.limit_in_bytes': '1',
    },
    536_870_912,
  ],
  [
    'v1: in a container, whose cgroup is mounted as the root of the hierarchy',
    {
      'proc/self/cgroup': '4:memory:/docker/0123abc',
      'proc/self/mountinfo': '35 31 0:32 /docker/0123abc /sys/fs/cgroup/memory ro,relatime - cgroup cgroup rw,memory',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '314572800',
    },
    314_572_800,
  ],
  [
    'v1: no limit',
    {
      'proc/self/cgroup': '4:memory:/',
      'proc/self/mountinfo': V1,
      'sys/fs/cgroup/memory/memory.limit_in_bytes': NO_V1_LIMIT,
    },
    undefined,
  ],
  [
    'both at once: whichever has the limit, at a mount point with a space',
    {
      'proc/self/cgroup': '4:memory:/a\n0::/a',
      'proc/self/mountinfo': `${V1}\n41 31 0:38 / /sys/fs/cgroup/uni\\040fied rw - cgroup2 cgroup2 rw`,
      'sys/fs/cgroup/memory/a/memory.limit_in_bytes': '700000000',
      'sys/fs/cgroup/uni fied/a/memory.max': '600000000',
    },
    600_000_000,
  ],
  ['no Linux', {}, undefined],
  ['nothing that can be read', { 'proc/self/cgroup': '\n::\nx', 'proc/self/mountinfo': 'a - b\n\n' }, undefined],
])('%s', (_, files, limit) => {
  expect(limitIn(files)).toBe(limit)
})

test('of this very process: none, or less than an exabyte', () => {
  const limit = cgroupMemoryLimit()
  expect(limit === undefined || (limit > 0 && limit < 2 ** 60)).toBe(true)
})
