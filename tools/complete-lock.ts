/**
 * `npm run lock`: brings package-lock.json up to date, then adds the binaries of other platforms that npm left out.
 *
 * npm writes only those that it could look up. With a registry that mirrors some platforms, `npm ci` would then refuse the
 * file everywhere, and a Mac could not install at all. The versions are exact in the packages that name them; npm fills
 * in the checksum of an added entry when it installs it.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface Entry {
  readonly version?: string
  readonly dev?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const path = join(import.meta.dirname, '..', 'package-lock.json')
const lock = JSON.parse(readFileSync(path, 'utf8')) as { packages: Record<string, Entry> }

const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32']
const PROCESSORS = ['arm', 'arm64', 'ia32', 'ppc64', 'riscv64', 's390x', 'x64']

let added = 0
for (const [parent, { dev, optionalDependencies = {} }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (isLocked(parent, name)) continue
    const words = name.split(/[/-]/)
    const os = words.filter((word) => SYSTEMS.includes(word))
    const cpu = words.filter((word) => PROCESSORS.includes(word))
    if (os.length !== 1 || cpu.length !== 1 || !/^\d+\.\d+\.\d+$/.test(version)) {
      throw new Error(`${name}@${version}: expected a name with one system and one processor, and an exact version`)
    }
    // Where npm looks at the system before it fetches.
    const platform = { cpu, os, ...(words.includes('musl') && { libc: ['musl'] }) }
    const entry = { version, optional: true, ...(dev && { dev }), ...platform }
    lock.packages[`node_modules/${name}`] = entry
    added++
  }
}

const { '': project, ...packages } = lock.packages
const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en'))
writeFileSync(
  path,
  `${JSON.stringify({ ...lock, packages: { '': project, ...Object.fromEntries(sorted) } }, null, 2)}\n`,
)
console.log(`${added} entries added`)

/** Whether `name`, asked for by the package at `parent`, is found in its node_modules or in one above. */
function isLocked(parent: string, name: string): boolean {
  for (let folder = parent; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (lock.packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`] !== undefined) return true
    if (folder === '') return false
  }
}
