import type { MessagePort } from 'node:worker_threads'

/** Hears which other lanes there are. */
export interface PeerListener {
  /** The lane in slot `lane` runs; `port` leads to it and is the listener's to close. */
  joined(lane: number, port: MessagePort): void
  /** It is about to stop: it takes nothing new, and still answers for what it has. */
  leaves?(lane: number): void
  /** It has ended, whatever the reason; what was sent to it and not answered is lost. Another may join in the same slot later. */
  left(lane: number): void
}

/** The other lanes, as this one has been told of them. */
export class Peers {
  readonly #ports = new Map<number, MessagePort>()
  #listener: PeerListener | undefined

  /** Tells `listener` of every lane that there is and of every change from now on. There is one listener. */
  listen(listener: PeerListener): void {
    this.#listener = listener
    for (const [lane, port] of this.#ports) listener.joined(lane, port)
  }

  joined(lane: number, port: MessagePort): void {
    this.left(lane)
    this.#ports.set(lane, port)
    this.#listener?.joined(lane, port)
  }

  leaves(lane: number): void {
    if (this.#ports.has(lane)) this.#listener?.leaves?.(lane)
  }

  left(lane: number): void {
    const port = this.#ports.get(lane)
    if (port === undefined) return
    this.#ports.delete(lane)
    this.#listener?.left(lane)
    port.close()
  }

  /** This lane ends. */
  close(): void {
    for (const lane of this.#ports.keys()) this.left(lane)
  }
}
