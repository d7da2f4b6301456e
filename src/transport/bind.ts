import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import * as net from 'node:net'
import type { SluiceError } from '../errors.ts'
import { formatHostPort, type ListenAddress, type TcpAddress } from './listen-address.ts'
import { listenError } from './listen-error.ts'
import { clearStaleSocket, socketPath } from './unix-socket.ts'

/** Sockets that are bound for one server. */
export interface Binding {
  /** `127.0.0.1:4317` or `unix:/run/otlp.sock`. */
  readonly address: string
  /** Takes no more connections; those there are stay. Resolves when the last of them has ended. */
  close(): Promise<void>
}

/** Free ports that are tried until one is free on both loopback addresses. */
const ATTEMPTS = 8

/**
 * Binds `server`. `localhost` means both loopback addresses: Go binds only the IPv4 one, but Node's and browsers' clients
 * may try `::1` first. The file of a Unix domain socket that nobody listens on any more is replaced; ours is removed when
 * the server closes. `configuredBy` names the component and key in errors.
 */
export async function bind(server: net.Server, address: ListenAddress, configuredBy: string): Promise<Binding> {
  if ('path' in address) {
    const { path } = address
    await clearStaleSocket(path, configuredBy)
    await listen(server, { path: socketPath(path) }, path, configuredBy)
    return { address: `unix:${path}`, close: () => closed(server) }
  }
  if (address.host === 'localhost' && address.family === undefined) {
    return await bindLoopback(server, address.port, configuredBy)
  }
  const { host, port } = await resolved(address, configuredBy)
  const options = { host, port, ...(address.family === 6 && { ipv6Only: true }) }
  await listen(server, options, formatHostPort(address.host ?? '', port), configuredBy)
  return { address: boundTo(server), close: () => closed(server) }
}

/** Both loopback addresses, on the same port. */
async function bindLoopback(server: net.Server, port: number, configuredBy: string): Promise<Binding> {
  const second = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => server.emit('connection', socket))
  for (let attempt = 1; ; attempt++) {
    await listen(server, { host: '127.0.0.1', port }, `localhost:${port}`, configuredBy)
    const bound = (server.address() as net.AddressInfo).port
    try {
      await listen(second, { host: '::1', port: bound }, `[::1]:${bound}`, configuredBy)
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
  // Without a listener an error of accept (EMFILE) would end the process; it is transient and Node accepts on.
  if (!server.listeners('error').includes(ignore)) server.on('error', ignore)
}
