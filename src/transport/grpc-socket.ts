import * as net from 'node:net'
import * as tls from 'node:tls'
import { connectionError } from './connection-error.ts'
import type { DialAddress } from './dial-target.ts'
import { splitHostPort } from './listen-address.ts'
import { openTunnel, type ProxyServer } from './proxy-tunnel.ts'
import type { ClientTls } from './tls.ts'

/** Code of the error for a server that does not choose HTTP/2. */
export const NO_HTTP2 = 'EPROTO_ALPN'

export interface SocketOptions {
  readonly address: DialAddress
  /** `host:port` whose certificate is expected. */
  readonly authority: string
  /** TLS where given; clear text otherwise. */
  readonly tls?: ClientTls
  /** Offered by ALPN; HTTP/2 alone when absent. */
  readonly protocols?: readonly string[]
  /** Reached through this HTTP proxy. */
  readonly proxy?: ProxyServer
}

/** A connected socket that HTTP/2 can be spoken on. The signal ends the attempt; a rejection says why there is none. */
export async function openSocket(options: SocketOptions, signal: AbortSignal): Promise<net.Socket> {
  const { address, proxy } = options
  const through =
    proxy !== undefined && 'host' in address ? await openTunnel(proxy, address.host, address.port, signal) : undefined
  if (options.tls !== undefined) return await secured(options, options.tls, through, signal)
  if (through !== undefined) return through
  return await opened(net.connect({ ...address, noDelay: true }), 'connect', signal)
}

async function secured(
  { address, authority, protocols = ['h2'] }: SocketOptions,
  secure: ClientTls,
  through: net.Socket | undefined,
  signal: AbortSignal,
): Promise<net.Socket> {
  const parts = splitHostPort(authority)
  const host = typeof parts === 'string' ? authority : parts.host
  const socket = tls.connect({
    ...(through === undefined ? address : { socket: through }),
    // An IP address is no server name: certificates are compared with `host` then.
    ...(net.isIP(host) === 0 && { servername: host }),
    ...secure.current(),
    ...(through !== undefined && { host }),
    ALPNProtocols: [...protocols],
  })
  socket.setNoDelay(true)
  await opened(socket, 'secureConnect', signal)
  if (socket.alpnProtocol === 'h2') return socket
  socket.destroy()
  throw connectionError(NO_HTTP2, 'the server does not offer HTTP/2 by ALPN; is this its gRPC port?')
}

function opened<S extends net.Socket>(socket: S, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<S> {
  return new Promise((resolve, reject) => {
    const cut = (): void => void socket.destroy(signal.reason as Error)
    const done = (): void => {
      signal.removeEventListener('abort', cut)
      socket.removeListener('error', failed)
      socket.removeListener('close', ended)
    }
    const failed = (error: Error): void => {
      done()
      reject(error)
    }
    // A socket that breaks may say so more than once, and whoever takes it over does so a moment later.
    socket.on('error', () => {})
    const ended = (): void => failed(connectionError('ECONNRESET', 'the peer closed the connection at once'))
    socket.once('error', failed)
    socket.once('close', ended)
    socket.once(event, () => {
      done()
      resolve(socket)
    })
    if (signal.aborted) cut()
    else signal.addEventListener('abort', cut, { once: true })
  })
}
