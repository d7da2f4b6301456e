import { splitHostPort } from './listen-address.ts'

/** Where a gRPC client connects. */
export interface GrpcTarget {
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string }
  /** `https://` was written: TLS, whatever `tls.insecure` says. */
  readonly secure: boolean
  /** For errors and as the `:authority`. */
  readonly shown: string
}

/**
 * Reads a gRPC `endpoint` as the Collector does: `host:port`, `http://…` (which does not turn TLS off), `https://…` (which
 * turns it on), `dns:///host:port`, `passthrough:///host:port`, `unix:path`. A string says what is wrong with it.
 */
export function parseGrpcTarget(endpoint: string): GrpcTarget | string {
  const unix = /^unix:(?:\/\/)?(.*)$/.exec(endpoint)
  if (unix !== null) {
    const path = unix[1]!
    return path === ''
      ? 'expected the path of a socket after "unix:", got nothing'
      : { address: { path }, secure: false, shown: `unix:${path}` }
  }
  const secure = endpoint.startsWith('https://')
  const plain = endpoint
    .replace(/^https?:\/\//, '')
    .replace(/^(?:dns|passthrough):(?:\/\/\/)?/, '')
    .replace(/\/$/, '')
  if (plain === '') return 'expected host:port of the gRPC server to send to, got nothing'
  if (plain.includes('://') || plain.includes('/')) {
    return `expected host:port, http://, https://, dns:/// or unix: (gRPC has no path), got "${endpoint}"`
  }
  const parts = splitHostPort(plain)
  if (typeof parts === 'string') return parts
  if (parts.host === '') return `expected host:port, got "${endpoint}"; the host is missing`
  return { address: parts, secure, shown: plain }
}
