import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import * as net from 'node:net'
import type { SluiceError } from '../errors.ts'
import { compileAddressPattern } from './address-pattern.ts'
import type { ConnectionShare } from './connection-share.ts'
import { formatHostPort, type ListenAddress, type TcpAddress } from './listen-address.ts'
import { listenError } from './listen-error.ts'
import { remember } from './open-sockets.ts'
import { nextPlace, type ServerPlace } from './port-sharing.ts'
import { clearStaleSocket, socketPath } from './unix-socket.ts'

/** Sockets that are bound for one server. */
export interface Binding {
  /** `127.0.0.1:4317` or `unix:/run/otlp.sock`. */
  readonly address: string
  /** How many connections lanes that share the port have; absent where none does. */
  readonly share?: ConnectionShare
  /** Takes no more connections; those there are stay. Resolves when the last of them has ended. */
  close(): Promise<void>
}

/** Free ports that are tried until one is free on both loopback addresses. */
const ATTEMPTS = 8

/**
 * Binds `server`. `localhost` means both loopback addresses: Go binds only the IPv4 one, but Node's and browsers' clients
 * may try `::1` first. The file of a Unix domain socket that nobody listens on any more is replaced; ours is removed when
 * the server closes. `configuredBy` names the component and key in errors.
 *
 * In a lane the port is shared with the same server of the others where the system can do that (`sharePorts`); elsewhere the
 * first lane listens, and in the others nothing does.
 */
export async function bind(server: net.Server, address: ListenAddress, configuredBy: string): Promise<Binding> {
  compileAddressPattern()
  const place = nextPlace(`${configuredBy} ${shownAs(address)}`)
  const tcp = 'port' in address
  const { bound } = place ?? {}
  if (place?.absent(tcp)) return { address: bound?.address ?? shownAs(address), close: () => Promise.resolve() }
  const binding = tcp
    ? await bindPort(server, { ...address, port: bound?.port ?? address.port }, configuredBy, place)
    : await bindPath(server, address.path, configuredBy)
  place?.took(binding.address, portOf(server))
  if (!place?.shares(tcp)) return binding
  return shared(server, binding, place.connections())
}

async function bindPath(server: net.Server, path: string, configuredBy: string): Promise<Binding> {
  await clearStaleSocket(path, configuredBy)
  await listen(server, { path: socketPath(path) }, path, configuredBy)
  return { address: `unix:${path}`, close: () => closed(server) }
}

async function bindPort(
  server: net.Server,
  address: TcpAddress,
  configuredBy: string,
  place: ServerPlace | undefined,
): Promise<Binding> {
  if (address.host === 'localhost' && address.family === undefined) {
    return await bindLoopback(server, address.port, configuredBy, place)
  }
  const { host, port } = await resolved(address, configuredBy)
  const options = { host, port, ...(address.family === 6 && { ipv6Only: true }) }
  await take(server, options, formatHostPort(address.host ?? '', port), configuredBy, place)
  return { address: boundTo(server), close: () => closed(server) }
}

/** Both loopback addresses, on the same port. */
async function bindLoopback(
  server: net.Server,
  port: number,
  configuredBy: string,
  place: ServerPlace | undefined,
): Promise<Binding> {
  const second = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => server.emit('connection', socket))
  for (let attempt = 1; ; attempt++) {
    await take(server, { host: '127.0.0.1', port }, `localhost:${port}`, configuredBy, place)
    const bound = portOf(server)
    try {
      await take(second, { host: '::1', port: bound }, `[::1]:${bound}`, configuredBy, place)
      break
    } catch (error) {
      // A machine without IPv6 is fine; a program that would get half of the clients is not.
      if ((error as SluiceError).code !== 'LISTEN_ADDRESS_IN_USE') break
      await closed(server)
      if (port !== 0 || attempt === ATTEMPTS) throw error
    }
  }
  return {
    address: boundTo(server),
    async close() {
      await Promise.all([closed(server), closed(second)])
    },
  }
}

/**
 * Listens, beside other lanes where there are any. A socket that shares its port would also share it with another program
 * of the same user that does so: before the first lane does, it is taken alone for a moment.
 */
async function take(
  server: net.Server,
  options: net.ListenOptions,
  shown: string,
  configuredBy: string,
  place: ServerPlace | undefined,
): Promise<void> {
  if (!place?.shares(true)) return await listen(server, options, shown, configuredBy)
  // The system gives away no port that somebody has, shared or not.
  if (place.first && options.port !== 0) {
    const alone = net.createServer()
    await listen(alone, options, shown, configuredBy)
    await closed(alone)
  }
  await listen(server, { ...options, reusePort: true }, shown, configuredBy)
}

/** Where connections come faster than they are taken there is no end to wait for. */
const LONGEST_DRAIN_MS = 1000

/** What lanes do about a port that they share: connections are counted, and none is lost when one of them stops listening. */
function shared(server: net.Server, binding: Binding, share: ConnectionShare): Binding {
  share.listens(true)
  let taken = 0
  server.on('connection', (socket: net.Socket) => {
    taken++
    share.opened()
    socket.once('close', () => share.closed())
  })
  return {
    address: binding.address,
    share,
    async close() {
      share.listens(false)
      // What the system has queued for a socket it resets when that is closed, although other lanes listen. Each turn of the
      // event loop takes one connection.
      const end = performance.now() + LONGEST_DRAIN_MS
      await turn()
      for (let before = -1; before < taken && performance.now() < end; ) {
        before = taken
        await turn()
      }
      await binding.close()
    },
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

const LOOPBACK = { 4: '127.0.0.1', 6: '::1' } as const

/** With a name that has addresses of several kinds, Node would take any. */
async function resolved({ host, port, family }: TcpAddress, configuredBy: string): Promise<TcpAddress> {
  if (host === undefined || family === undefined || net.isIP(host) !== 0) return { host, port }
  // Machines that know the name under one version only are common, and it means the same everywhere.
  if (host === 'localhost') return { host: LOOPBACK[family], port }
  try {
    return { host: (await lookup(host, { family })).address, port }
  } catch (cause) {
    throw listenError(cause as NodeJS.ErrnoException, formatHostPort(host, port), configuredBy)
  }
}

function ignore(): void {}

function closed(server: net.Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

function portOf(server: net.Server): number {
  const bound = server.address()
  return typeof bound === 'object' && bound !== null ? bound.port : 0
}

function shownAs(address: ListenAddress): string {
  return 'path' in address ? `unix:${address.path}` : formatHostPort(address.host ?? '', address.port)
}

function boundTo(server: net.Server): string {
  const { address, port } = server.address() as net.AddressInfo
  return formatHostPort(address, port)
}

async function listen(
  server: net.Server,
  options: net.ListenOptions,
  shown: string,
  configuredBy: string,
): Promise<void> {
  server.listen({ ...options, exclusive: true })
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw listenError(cause as NodeJS.ErrnoException, shown, configuredBy)
  }
  remember(server)
  // Without a listener an error of accept (EMFILE) would end the process; it is transient and Node accepts on.
  if (!server.listeners('error').includes(ignore)) server.on('error', ignore)
}
