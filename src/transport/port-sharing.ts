import { ConnectionShare } from './connection-share.ts'

/** An address that the first lane has bound: what the others bind. Plain data. */
export interface BoundAddress {
  /** Tells the servers of a lane apart. */
  readonly server: string
  /** What it is called: `127.0.0.1:4317`, `unix:/run/otlp.sock`. */
  readonly address: string
  /** What port it came to, where that was free to choose. */
  readonly port: number
}

/** How the servers of one lane share their addresses with those of the others. */
export interface PortSharing {
  /** The slot of this lane. */
  readonly lane: number
  /** Nobody has bound anything yet: a port that another program has is to be noticed. */
  readonly first: boolean
  /** What is bound already, in the order in which that happened. */
  readonly bound: readonly BoundAddress[]
  /** Where lanes count their connections (`ConnectionShare.memory`). */
  readonly connections: SharedArrayBuffer
  /** Takes what this lane, being the first, has bound. */
  onBound(bound: BoundAddress): void
}

/** Linux spreads connections over the sockets that share a port; others give them all to one, or refuse. */
const SHARES_PORTS = process.platform === 'linux'

/** What one server of a lane is to do about its address. */
export class ServerPlace {
  readonly #sharing: PortSharing
  readonly #server: string
  readonly #place: number

  constructor(sharing: PortSharing, server: string, place: number) {
    this.#sharing = sharing
    this.#server = server
    this.#place = place
  }

  /** Several lanes can listen there. */
  shares(tcp: boolean): boolean {
    return tcp && SHARES_PORTS
  }

  /** Another lane listens there, and this one must not. */
  absent(tcp: boolean): boolean {
    return !this.shares(tcp) && this.#sharing.lane > 0
  }

  /** Nobody has bound it yet. */
  get first(): boolean {
    return this.#sharing.first
  }

  /** What the first lane has bound for this server; undefined in the first lane. */
  get bound(): BoundAddress | undefined {
    return this.#sharing.bound.find(({ server }) => server === this.#server)
  }

  took(address: string, port: number): void {
    if (this.first) this.#sharing.onBound({ server: this.#server, address, port })
  }

  connections(): ConnectionShare {
    return new ConnectionShare(this.#sharing.connections, this.#place, this.#sharing.lane)
  }
}

/** A thread is one lane, so that servers need not be told. */
let sharing: PortSharing | undefined
/** How many servers of a name there are so far: lanes start theirs in the same order. */
const servers = new Map<string, number>()

/** From now on the servers of this thread are those of a lane; undefined: they are alone again. */
export function sharePorts(how: PortSharing | undefined): void {
  sharing = how
  servers.clear()
}

/** The place of a server that begins to listen; undefined where it shares with nobody. */
export function nextPlace(name: string): ServerPlace | undefined {
  if (sharing === undefined) return undefined
  let place = 0
  for (const count of servers.values()) place += count
  const before = servers.get(name) ?? 0
  servers.set(name, before + 1)
  return new ServerPlace(sharing, `${name} ${before}`, place)
}
