import type { MessagePort } from 'node:worker_threads'
import { endThread } from './crash.ts'
import type { Peers } from './peers.ts'
import type { ToLane } from './protocol.ts'

/** What the supervisor tells a lane. */
export class Inbox {
  /** Resolves with how long the stop may take, ms. */
  readonly stop: Promise<number>
  #stopping = false

  constructor(port: MessagePort, peers: Peers) {
    const { promise, resolve } = Promise.withResolvers<number>()
    this.stop = promise
    port.on('message', (message: ToLane) => {
      switch (message.type) {
        case 'stop':
          this.#stopping = true
          resolve(message.timeoutMs)
          break
        case 'die':
          endThread()
          break
        case 'peer':
          peers.joined(message.lane, message.port)
          break
        case 'peerLeaves':
          peers.leaves(message.lane)
          break
        case 'peerGone':
          peers.left(message.lane)
          break
      }
    })
  }

  /** The stop was asked for already. */
  get stopping(): boolean {
    return this.#stopping
  }
}
