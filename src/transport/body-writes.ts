import type { Socket } from 'node:net'
import type { buildConnector } from 'undici'
import type { Lease } from './lease.ts'

/**
 * Says when sockets have let go of a request's body, which undici does not: an answer may come before the socket has sent all
 * of it, and a request that is given up leaves its bytes in a socket that is still to be closed.
 *
 * undici hands a body that is a `Buffer` to its socket as it is, so the socket's `write` knows it again.
 */
export class BodyWrites {
  readonly #bodies = new WeakMap<object, Lease>()

  /** From now on a socket that writes `body`, this very object, holds `lease` until it has, or is closed. */
  expect(body: Buffer, lease: Lease): void {
    this.#bodies.set(body, lease)
  }

  /** The same connections, with sockets that are watched. */
  watching(connector: buildConnector.connector): buildConnector.connector {
    return (options, callback) => {
      connector(options, (...result) => {
        if (result[0] === null) this.#watch(result[1])
        callback(...result)
      })
    }
  }

  #watch(socket: Socket): void {
    const write = socket.write.bind(socket) as (chunk: unknown, ...rest: unknown[]) => boolean
    const watched = (chunk: unknown, ...rest: unknown[]): boolean => {
      const lease = rest.length === 0 && typeof chunk === 'object' ? this.#bodies.get(chunk as object) : undefined
      if (lease === undefined) return write(chunk, ...rest)
      let written = false
      const wrote = (): void => {
        if (written) return
        written = true
        socket.off('close', wrote)
        lease.drop()
      }
      lease.hold()
      // A socket that is destroyed calls back at once what it has not begun; what it has begun is its own until it closes.
      socket.once('close', wrote)
      return write(chunk, () => {
        if (!socket.destroyed) wrote()
      })
    }
    socket.write = watched as typeof socket.write
  }
}
