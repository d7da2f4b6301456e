/**
 * A peer is software of somebody else that Sluice talks to in tests. It is installed from its registry into the user's
 * cache, under the hash of what it is made from: a changed manifest or program installs anew, nothing lands in the tree.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Peer {
  readonly name: string
  /** What it is, and from where. */
  readonly summary: string
  /** Programs on the PATH that installing it takes, and how to get them. */
  readonly needs: readonly Toolchain[]
  /** Names versions that stand in no file. */
  readonly recipe: string
  /** What it is made from, relative to this folder, or to `folder`. */
  readonly folder?: URL
  readonly files: readonly string[]
  /** A file of the installed peer, relative to its folder: there when it is installed. */
  readonly binary: string
  /** Puts the peer into `out`; `scratch` is thrown away afterwards. `file` gives the path of one of `files`. */
  install(out: string, scratch: string, file: (name: string) => string): void
}

export type Toolchain = keyof typeof TOOLCHAINS

const TOOLCHAINS = {
  go: 'Go 1.26 or later with the module proxy',
  cargo: 'Rust 1.85 or later with crates.io',
  python3: 'Python 3.11 or later with its venv module and PyPI',
  javac: 'a JDK, 17 or later',
  mvn: 'Maven 3.8 or later with Maven Central',
}

/** A file of this folder, or of another. */
export const source = (name: string, folder: URL | string = import.meta.url): string =>
  fileURLToPath(new URL(name, folder))

/** The folder of a peer as it is now, or will be once installed. */
function folderOf(peer: Peer): string {
  const hash = createHash('sha256').update(peer.recipe)
  for (const file of peer.files) hash.update(readFileSync(source(file, peer.folder)))
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  return join(cache, 'sluice', `${peer.name}-${hash.digest('hex').slice(0, 16)}`)
}

/** Where a file of an installed peer lies; its `binary` if not said otherwise. */
export function pathOf(peer: Peer, file: string = peer.binary): string {
  return join(folderOf(peer), file)
}

export function isInstalled(peer: Peer): boolean {
  return existsSync(pathOf(peer))
}

/** Installs a peer unless it is there; gives its binary. Throws what is missing, or what the tool said, and what to do. */
export function install(peer: Peer): string {
  const binary = pathOf(peer)
  if (isInstalled(peer)) return binary
  const missing = peer.needs.filter((program) => !onPath(program))
  if (missing.length > 0) {
    const wanted = missing.map((program) => `\`${program}\` (${TOOLCHAINS[program]})`).join(', ')
    throw new Error(`peer ${peer.name} (${peer.summary}) cannot be installed: not on the PATH: ${wanted}`)
  }
  const folder = folderOf(peer)
  // Made beside its place and renamed at the end: an install that was cut off never looks finished.
  const work = `${folder}.${process.pid}`
  const out = join(work, 'out')
  const scratch = join(work, 'scratch')
  mkdirSync(out, { recursive: true })
  mkdirSync(scratch)
  try {
    peer.install(out, scratch, (name) => source(name, peer.folder))
    if (!existsSync(join(out, peer.binary))) throw new Error(`there is no ${peer.binary} after it`)
    try {
      renameSync(out, folder)
    } catch (error) {
      // Somebody else was quicker.
      if (!isInstalled(peer)) throw error
    }
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    throw new Error(
      `peer ${peer.name} (${peer.summary}) cannot be installed: ${said}\n` +
        `it takes ${peer.needs.map((program) => TOOLCHAINS[program]).join(', ')}; ` +
        `then: tools/node ${peer.folder ? 'bench/peers/install.ts' : 'test/interop/install-peers.ts'} ${peer.name}`,
    )
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return binary
}

/** Runs a step of an installation; what the tool prints goes to stderr. */
export function run(
  cwd: string,
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): void {
  execute(cwd, program, args, env, 2)
}

/** The same, and gives what it printed on stdout. */
export function output(
  cwd: string,
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): string {
  return execute(cwd, program, args, env, 'pipe').toString()
}

// Three times what the longest step takes on two cores: a registry that does not answer costs this peer, and not the others.
const STEP_LIMIT_MINUTES = 12

function execute(
  cwd: string,
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  stdout: 2 | 'pipe',
): Buffer {
  try {
    return execFileSync(program, args, {
      cwd,
      stdio: ['ignore', stdout, 2],
      env: { ...process.env, ...env },
      timeout: STEP_LIMIT_MINUTES * 60_000,
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ETIMEDOUT') throw error
    throw new Error(`\`${program} ${args.join(' ')}\` did not end within ${STEP_LIMIT_MINUTES} min`)
  }
}

/** Go apart from the machine's workspaces, and binaries without a C library. */
export const GO = { GOWORK: 'off', CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false' }

/** Whether a program is on the PATH. */
export function onPath(program: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => folder !== '' && existsSync(join(folder, program)))
}
