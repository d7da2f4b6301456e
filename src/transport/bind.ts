import { once } from 'node:events'
import * as net from 'node:net'
import { SluiceError } from '../errors.ts'
import { formatHostPort, type ListenAddress } from './listen-address.ts'

/** Sockets that are bound for one server. */
export interface Binding {
  /** `127.0.0.1:4317` or `unix:/run/otlp.sock`. */
  readonly address: string
  /** Takes no more connections; those there are stay. Resolves when the last of them has ended. */
  close(): Promise<void>
}

/**
 * Binds `server`. `localhost` means both loopback addresses: Go binds only the IPv4 one, but Node's and browsers' clients
 * may try `::1` first. `configuredBy` names the component and key in errors.
 */
export async function bind(server: net.Server, address: ListenAddress, configuredBy: string): Promise<Binding> {
  if ('path' in address) {
    await listen(server, address, address.path, configuredBy)
    return { address: `unix:${address.path}`, close: () => closed(server) }
  }
  const { host, port } = address
  if (host !== 'localhost') {
    await listen(server, { host, port }, formatHostPort(host ?? '', port), configuredBy)
    return { address: boundTo(server), close: () => closed(server) }
  }
  await listen(server, { host: '127.0.0.1', port }, `localhost:${port}`, configuredBy)
  const bound = (server.address() as net.AddressInfo).port
  const second = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => server.emit('connection', socket))
  try {
    await listen(second, { host: '::1', port: bound }, `[::1]:${bound}`, configuredBy)
  } catch (error) {
    // A machine without IPv6 is fine, and so is a port 0 whose number happened to be taken over there; a program that
    // would get half of the clients of a chosen port is not.
    if (port !== 0 && (error as SluiceError).code === 'LISTEN_ADDRESS_IN_USE') {
      server.close()
      throw error
    }
  }
  return {
    address: boundTo(server),
    async close() {
      await Promise.all([closed(server), closed(second)])
    },
  }
}

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
}

/** Says whose address could not be bound, why, and what can be done. */
function listenError(cause: NodeJS.ErrnoException, shown: string, configuredBy: string): SluiceError {
  const failure = `${configuredBy}: cannot listen on ${shown}`
  switch (cause.code) {
    case 'EADDRINUSE':
      return new SluiceError(
        'LISTEN_ADDRESS_IN_USE',
        `${failure}, another program has it; stop that program, or set another endpoint`,
        { cause },
      )
    case 'EACCES':
    case 'EPERM':
      return new SluiceError(
        'LISTEN_NOT_PERMITTED',
        `${failure}, this user may not; take a port above 1023 or a path it may write to, or grant CAP_NET_BIND_SERVICE`,
        { cause },
      )
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EADDRNOTAVAIL':
      return new SluiceError(
        'LISTEN_ADDRESS_UNKNOWN',
        `${failure}, the name or address is none of this machine's (${cause.code}); ` +
          'take one that it has, or 0.0.0.0 for all of them',
        { cause },
      )
    default:
      return new SluiceError('LISTEN_FAILED', `${failure}: ${cause.message}`, { cause })
  }
}
