import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Runs a line of JavaScript in a process of its own, to its end, however that comes. */
export async function runNode(code: string): Promise<void> {
  await once(spawn(process.execPath, ['-e', code], { stdio: 'ignore' }), 'exit')
}
