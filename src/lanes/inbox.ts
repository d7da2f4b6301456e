import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { ComponentState } from '../graph/graph.ts'
import { endThread } from './crash.ts'
import type { Peers } from './peers.ts'
import type { Stop, ToLane } from './protocol.ts'

/** What the supervisor tells a lane. */
export class Inbox {
  readonly stop: Promise<Stop>
  /** Takes what the lane before held; it comes after this lane said that it has started. */
  onState: (state: readonly ComponentState[]) => void = () => {}
  readonly #port: MessagePort
  readonly #take: (message: ToLane) => void
  #stopping = false

  constructor(port: MessagePort, peers: Peers) {
    const { promise, resolve } = Promise.withResolvers<Stop>()
    this.stop = promise
    this.#port = port
    this.#take = (message) => {
      switch (message.type) {
        case 'stop':
          this.#stopping = true
          resolve(message)
          break
        case 'state':
          this.onState(message.state)
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
    }
    port.on('message', this.#take)
  }

  /** Takes what has come already, a stop that was asked for while the thread loaded its modules: no turn of the event loop may have passed. */
  read(): void {
    for (let next = receiveMessageOnPort(this.#port); next; next = receiveMessageOnPort(this.#port)) {
      this.#take(next.message as ToLane)
    }
  }

  /** The stop was asked for already. */
  get stopping(): boolean {
    return this.#stopping
  }
}
