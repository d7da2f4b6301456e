import { lstat, unlink } from 'node:fs/promises'
import * as net from 'node:net'
import { SluiceError } from '../errors.ts'
import { listenError } from './listen-error.ts'

/** The path as the system takes it: `@name` is a name without a file (unix(7), "Abstract sockets"), as Go writes it. */
export function socketPath(path: string): string {
  return path.startsWith('@') ? `\0${path.slice(1)}` : path
}

/**
 * Removes the file that a process left behind which ended without tidying up. One that somebody listens on, and what is no
 * socket at all, stays; listening then fails with `LISTEN_ADDRESS_IN_USE`.
 */
export async function clearStaleSocket(path: string, configuredBy: string): Promise<void> {
  if (path.startsWith('@')) return
  const stats = await lstat(path).catch(() => undefined)
  if (stats === undefined) return
  if (!stats.isSocket()) {
    throw new SluiceError(
      'LISTEN_ADDRESS_IN_USE',
      `${configuredBy}: cannot listen on ${path}, there is a file of another kind; remove it, or set another path`,
    )
  }
  if (await answers(path)) {
    throw listenError(Object.assign(new Error('in use'), { code: 'EADDRINUSE' }), path, configuredBy)
  }
  try {
    await unlink(path)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    // Somebody else tidied up.
    if (code === 'ENOENT') return
    throw listenError(cause as NodeJS.ErrnoException, path, configuredBy)
  }
}

/** False only where the system says that nobody listens: in doubt the file stays. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'))
  })
}
