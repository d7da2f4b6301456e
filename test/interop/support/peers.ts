/** Peers as child processes, for tests. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { isInstalled, onPath, type Peer } from '../peers/peer.ts'

/**
 * Whether a suite that talks to these peers has to be skipped, and what its name then says. Tests install nothing: that
 * takes minutes and the network, and `.ci/run` does it first; so in CI nothing is skipped, and what is not there fails.
 */
export function needs(...peers: readonly Peer[]): { readonly skip: boolean; readonly note: string } {
  const missing = process.env.CI ? [] : peers.filter((peer) => !isInstalled(peer)).map(({ name }) => name)
  if (missing.length === 0) return { skip: false, note: '' }
  const names = missing.join(' ')
  return { skip: true, note: ` (not run: no ${names}; tools/node test/interop/install-peers.ts ${names} installs it)` }
}

/** The same for a program that comes with the machine. */
export function needsProgram(program: string): { readonly skip: boolean; readonly note: string } {
  if (process.env.CI || onPath(program)) return { skip: false, note: '' }
  return { skip: true, note: ` (not run: \`${program}\` is not on the PATH)` }
}

const running = new Set<ChildProcess>()

/** Ends what a failed test left running. */
export function endPeers(): void {
  for (const child of running) child.kill('SIGKILL')
}

/** Runs a peer to its end; gives what it printed. Throws what it said where it does not end with 0. */
export async function runPeer(
  binary: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { child, output } = start(binary, args, env)
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  if (code !== 0) throw new Error(`${binary} ${args.join(' ')} ended with ${code ?? signal}:\n${output.both()}`)
  return output.stdout()
}

export interface RunningPeer {
  /** What it printed so far, both streams. */
  readonly output: () => string
  /** SIGTERM; resolves when it has ended. */
  stop(): Promise<void>
}

/** Starts a peer that runs until it is stopped; resolves with what `ready` finds in its output. */
export async function startPeer(
  binary: string,
  args: readonly string[],
  ready: (output: string) => string | undefined,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningPeer & { readonly found: string }> {
  const { child, output } = start(binary, args, env)
  const ended = once(child, 'close')
  const found = await new Promise<string>((resolve, reject) => {
    const look = (): void => {
      const answer = ready(output.both())
      if (answer !== undefined) resolve(answer)
    }
    child.stdout!.on('data', look)
    child.stderr!.on('data', look)
    void ended.then(() => reject(new Error(`${binary} ${args.join(' ')} ended:\n${output.both()}`)))
  })
  return {
    found,
    output: () => output.both(),
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

function start(
  binary: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): { child: ChildProcess; output: { stdout(): string; both(): string } } {
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  running.add(child)
  child.once('close', () => running.delete(child))
  let stdout = ''
  let both = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
    both += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    both += chunk.toString()
  })
  return { child, output: { stdout: () => stdout, both: () => both } }
}
