import * as http from 'node:http'
import * as https from 'node:https'
import type { Socket } from 'node:net'
import { connectionError } from './connection-error.ts'
import { formatHostPort } from './listen-address.ts'
import { basicCredentials } from './url-credentials.ts'

/** An HTTP proxy that opens tunnels. */
export interface ProxyServer {
  /** `http://` or `https://`; credentials in it are sent as `Proxy-Authorization`. */
  readonly url: URL
  readonly userAgent: string
}

/** A connection to `host:port` through the proxy's CONNECT (RFC 9110, section 9.3.6). The proxy looks the name up. */
export function openTunnel(proxy: ProxyServer, host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const { url } = proxy
  const to = formatHostPort(host, port)
  return new Promise((resolve, reject) => {
    const authorization = basicCredentials(url)
    const request = (url.protocol === 'https:' ? https : http).request({
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port,
      method: 'CONNECT',
      path: to,
      agent: false,
      signal,
      headers: {
        host: to,
        connection: 'keep-alive',
        'user-agent': proxy.userAgent,
        ...(authorization !== undefined && { 'proxy-authorization': authorization }),
      },
    })
    const refused = (status: number | undefined): Error =>
      connectionError(
        'EPROXY',
        `the proxy ${url.host} answered HTTP ${status} to CONNECT ${to}${status === 407 ? '; put user:password@ into its URL' : ''}`,
      )
    request.once('connect', (response: http.IncomingMessage, socket: Socket, head: Buffer) => {
      if (response.statusCode !== 200) {
        socket.destroy()
        reject(refused(response.statusCode))
        return
      }
      if (head.length > 0) socket.unshift(head)
      socket.setNoDelay(true)
      resolve(socket)
    })
    request.once('response', (response) => {
      response.destroy()
      reject(refused(response.statusCode))
    })
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (signal.aborted) reject(signal.reason as Error)
      else reject(connectionError(error.code ?? 'EPROXY', `the proxy ${url.host} cannot be reached: ${error.message}`))
    })
    request.end()
  })
}
