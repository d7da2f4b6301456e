import { isIP } from 'node:net'

/** Where a server listens: a TCP port, or a path of a Unix domain socket (`@name`: an abstract one, on Linux). */
export type ListenAddress = TcpAddress | { readonly path: string }

export interface TcpAddress {
  /** Undefined: all interfaces. */
  readonly host: string | undefined
  readonly port: number
  /** The one version of IP that is served; absent: whatever the host has. */
  readonly family?: 4 | 6
}

export type ListenTransport = 'tcp' | 'tcp4' | 'tcp6' | 'unix'

/**
 * Reads an `endpoint` as Go's `net.Listen` does: `host:port`, `:port` (all interfaces), `[::1]:port`, or a path for `unix`.
 * A string says what is wrong with it.
 */
export function parseListenAddress(endpoint: string, transport: ListenTransport): ListenAddress | string {
  if (transport === 'unix') {
    const path = endpoint.replace(/^unix:(\/\/)?/, '')
    return path === '' ? 'expected the path of a socket, got nothing' : { path }
  }
  const parts = splitHostPort(endpoint)
  if (typeof parts === 'string') return parts
  const { port } = parts
  if (transport === 'tcp') return { host: parts.host === '' ? undefined : parts.host, port }
  const family = transport === 'tcp4' ? 4 : 6
  const version = isIP(parts.host)
  if (version !== 0 && version !== family) {
    return `expected an IPv${family} address under \`transport: ${transport}\`, got "${parts.host}"; \`tcp\` takes both`
  }
  return { host: parts.host === '' ? { tcp4: '0.0.0.0', tcp6: '::' }[transport] : parts.host, port, family }
}

/** `host:port` in its parts; a string says what is wrong with it. An empty host is the caller's to judge. */
export function splitHostPort(endpoint: string): { readonly host: string; readonly port: number } | string {
  const found = /^(?:\[([^\]]*)\]|([^:[\]/]*)):(\d{1,5})$/.exec(endpoint)
  const port = Number(found?.[3])
  if (found === null || port > 65_535) {
    const hint = /^[^:]+$/.test(endpoint)
      ? '; the port is missing'
      : /^[0-9a-fA-F:]*::?[0-9a-fA-F:]*:\d+$/.test(endpoint)
        ? '; an IPv6 address needs brackets: "[::1]:4317"'
        : /^[a-z]+:\/\//i.test(endpoint)
          ? '; leave out the scheme'
          : ''
    return `expected host:port with a port from 0 to 65535, got "${endpoint}"${hint}`
  }
  return { host: found[1] ?? found[2] ?? '', port }
}

/** `host:port`, with brackets around IPv6. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** `host:port` of whoever is at the other end; `unix` where the system does not say. */
export function peerOf(socket: {
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
}): string {
  const { remoteAddress, remotePort } = socket
  return remoteAddress === undefined ? 'unix' : formatHostPort(remoteAddress, remotePort ?? 0)
}
