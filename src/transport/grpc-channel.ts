import { lookup as systemLookup } from 'node:dns/promises'
import { type Clock, systemClock } from '../clock.ts'
import { connectionFailureText } from './connection-error.ts'
import type { DialAddress, GrpcTarget } from './dial-target.ts'
import { type ConnectBackoff, GRPC_BACKOFF, GrpcAddress } from './grpc-address.ts'
import type { ConnectionOptions, GrpcConnection } from './grpc-connection.ts'
import { formatHostPort } from './listen-address.ts'

/** The addresses of a name, in the order of preference. */
export type Lookup = (host: string) => Promise<readonly string[]>

export interface ChannelOptions extends Omit<ConnectionOptions, 'address' | 'authority' | 'changed'> {
  readonly target: GrpcTarget
  /** Whose certificate is expected; the target's when absent. */
  readonly authority?: string
  /** `round_robin` uses all addresses in turn, `pick_first` the first that answers; the former when absent. */
  readonly balancer?: 'round_robin' | 'pick_first'
  readonly lookup?: Lookup
  /** Of the back-off and of looking names up. */
  readonly clock?: Clock
  readonly backoff?: ConnectBackoff
}

/** Why no call can go anywhere now. */
export interface ChannelFailure {
  readonly text: string
  readonly code: string
}

/** A name is looked up no more often than this (grpc-go's `MinResolutionInterval`), and not much less while calls are made. */
const RESOLVE_EVERY_MS = 30_000
/** A look-up holds a thread of the pool that also compresses: a slow one is repeated that much later. */
const RESOLVE_SHARE = 20
/** `pick_first` asks the next address as well when one has not answered for this long (RFC 8305, section 8). */
const NEXT_ADDRESS_MS = 250
const LONGEST_WAIT_MS = 60_000

/**
 * The connections to all addresses of a target, and which of them the next call takes. Nothing happens without calls: they
 * make it connect, connect again, and look the name up again.
 */
export class GrpcChannel {
  readonly #options: ChannelOptions
  readonly #clock: Clock
  #addresses: GrpcAddress[] = []
  /** Addresses that the name lost, until their last calls have ended. */
  readonly #leaving = new Set<GrpcAddress>()
  /** Whose turn it is; at first anybody's, so that many clients do not begin with the same one. */
  #next = Math.floor(Math.random() * 1024)
  /** What `pick_first` stays with. */
  #first: GrpcAddress | undefined
  #resolveAt = Number.NEGATIVE_INFINITY
  #resolveWaitMs: number
  #resolving = false
  #resolveFailure: ChannelFailure | undefined
  readonly #waiting = new Set<() => void>()
  #closed = false

  constructor(options: ChannelOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#resolveWaitMs = (options.backoff ?? GRPC_BACKOFF).firstMs
    const { name, addresses } = options.target
    // Through a proxy the name is the proxy's to look up.
    const fixed = name !== undefined && options.proxy !== undefined ? [name] : addresses
    if (fixed.length > 0) {
      this.#resolveAt = Number.POSITIVE_INFINITY
      this.#update(fixed)
    }
  }

  /** A connection for a call; undefined while there is none, which `failure` explains or `changed` waits for. */
  pick(): GrpcConnection | undefined {
    if (this.#closed) return undefined
    const now = this.#clock.monotonic()
    if (now >= this.#resolveAt && !this.#resolving) void this.#resolve(now)
    return this.#options.balancer === 'pick_first' ? this.#pickFirst(now) : this.#roundRobin(now)
  }

  #roundRobin(now: number): GrpcConnection | undefined {
    const addresses = this.#addresses
    const start = this.#next
    let picked: GrpcConnection | undefined
    for (let i = 0; i < addresses.length; i++) {
      const at = (start + i) % addresses.length
      const address = addresses[at]!
      const { ready } = address
      if (ready === undefined) address.connect(now)
      else if (picked === undefined) {
        picked = ready
        this.#next = at + 1
      }
    }
    return picked
  }

  #pickFirst(now: number): GrpcConnection | undefined {
    const current = this.#first?.ready
    if (current !== undefined) return current
    for (const address of this.#addresses) {
      const { ready } = address
      if (ready === undefined) continue
      this.#first = address
      for (const other of this.#addresses) if (other !== address) other.drain()
      return ready
    }
    for (const address of this.#addresses) {
      address.connect(now)
      if (address.connecting && now - address.startedAt < NEXT_ADDRESS_MS) break
    }
    return undefined
  }

  /** Every address has failed and none is being tried; undefined where there is hope. */
  get failure(): ChannelFailure | undefined {
    if (this.#closed) return { text: 'the client is closed', code: 'ECANCELED' }
    let last: GrpcAddress | undefined
    for (const address of this.#addresses) {
      if (!address.failing || address.connecting || address.ready !== undefined) return undefined
      if (last === undefined || address.startedAt >= last.startedAt) last = address
    }
    if (last === undefined) return this.#resolving ? undefined : this.#resolveFailure
    const others = this.#addresses.length > 1 ? ` (and ${this.#addresses.length - 1} more addresses)` : ''
    return { text: last.failureText + others, code: last.failureCode }
  }

  /** What went wrong last, whether or not there is hope. */
  get lastFailure(): string {
    return this.#addresses.find(({ failing }) => failing)?.failureText ?? this.#resolveFailure?.text ?? ''
  }

  /** Resolves when it is worth asking again, after `ms` at the latest. */
  changed(ms: number): Promise<void> {
    const now = this.#clock.monotonic()
    let pause = Math.min(ms, LONGEST_WAIT_MS)
    if (this.#options.balancer === 'pick_first') pause = Math.min(pause, NEXT_ADDRESS_MS)
    for (const address of this.#addresses) {
      if (!address.connecting) pause = Math.min(pause, address.notBefore - now)
    }
    if (this.#addresses.length === 0 && !this.#resolving) pause = Math.min(pause, this.#resolveAt - now)
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(wake)
        resolve()
      }
      // Real time, as that of the call whose rest `ms` is.
      const timer = setTimeout(wake, Math.max(1, pause))
      this.#waiting.add(wake)
    })
  }

  /** Lets the calls under way end and their connections with them; the next call makes new ones. */
  drain(): void {
    for (const address of this.#addresses) address.drain()
  }

  async close(): Promise<void> {
    this.#closed = true
    const all = [...this.#addresses, ...this.#leaving]
    this.#addresses = []
    this.#leaving.clear()
    this.#wake()
    await Promise.all(all.map((address) => address.close()))
  }

  #wake(): void {
    // Each takes itself out; whoever waits again does so later.
    for (const wake of this.#waiting) wake()
  }

  async #resolve(begun: number): Promise<void> {
    const { target, lookup = systemAddresses, backoff = GRPC_BACKOFF } = this.#options
    const { host, port } = target.name!
    this.#resolving = true
    let found: readonly string[] = []
    let failure: ChannelFailure | undefined
    try {
      found = await lookup(host)
      if (found.length === 0) failure = { text: `"${host}" has no addresses`, code: 'ENODATA' }
    } catch (error) {
      failure = {
        text: connectionFailureText(error as NodeJS.ErrnoException),
        code: (error as NodeJS.ErrnoException).code ?? 'ENOTFOUND',
      }
    }
    this.#resolving = false
    if (this.#closed) return
    const now = this.#clock.monotonic()
    this.#resolveFailure = failure
    if (failure === undefined) {
      this.#resolveWaitMs = backoff.firstMs
      this.#resolveAt = now + Math.max(RESOLVE_EVERY_MS, RESOLVE_SHARE * (now - begun))
      this.#update(found.map((address) => ({ host: address, port })))
    } else {
      // What was found before stays in use.
      this.#resolveAt = now + Math.max(this.#resolveWaitMs, RESOLVE_SHARE * (now - begun))
      this.#resolveWaitMs = Math.min(this.#resolveWaitMs * backoff.factor, backoff.maxMs)
    }
    this.#wake()
  }

  #update(found: readonly DialAddress[]): void {
    const { backoff = GRPC_BACKOFF, target, authority } = this.#options
    const known = new Map(this.#addresses.map((address) => [address.key, address]))
    const addresses: GrpcAddress[] = []
    for (const address of found) {
      const key = 'path' in address ? address.path : formatHostPort(address.host, address.port)
      const same = known.get(key)
      known.delete(key)
      if (same !== undefined) addresses.push(same)
      else if (!addresses.some((other) => other.key === key)) {
        const options = { ...this.#options, authority: authority ?? target.authority, address }
        const made: GrpcAddress = new GrpcAddress(key, options, {
          backoff,
          changed: () => {
            if (made.idle) this.#leaving.delete(made)
            this.#wake()
          },
        })
        addresses.push(made)
      }
    }
    this.#addresses = addresses
    for (const gone of known.values()) {
      if (gone === this.#first) this.#first = undefined
      if (!gone.idle) this.#leaving.add(gone)
      gone.drain()
    }
  }
}

async function systemAddresses(host: string): Promise<readonly string[]> {
  const found = await systemLookup(host, { all: true, order: 'verbatim' })
  return found.map(({ address }) => address)
}
