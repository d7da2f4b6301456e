import { isIP, isIPv4, isIPv6 } from 'node:net'
import { formatHostPort, splitHostPort } from './listen-address.ts'

/** One place that a connection can be made to. */
export type DialAddress = { readonly host: string; readonly port: number } | { readonly path: string }

/** Where a gRPC client connects. */
export interface GrpcTarget {
  /** A name that is looked up for all its addresses, again and again; undefined where `addresses` says it all. */
  readonly name: { readonly host: string; readonly port: number } | undefined
  /** Empty where there is a name. */
  readonly addresses: readonly DialAddress[]
  /** `https://` was written: TLS, whatever `tls.insecure` says. */
  readonly secure: boolean
  /** For errors. */
  readonly shown: string
  /** The `:authority` of requests, and whose certificate is expected, where nobody says otherwise. */
  readonly authority: string
}

const FORMS = 'host:port, or a target with http://, https://, dns:///, passthrough:///, ipv4:, ipv6: or unix:'

/**
 * Reads a gRPC `endpoint` as the Collector does: `http://` (which does not turn TLS off) and `https://` (which turns it on) are
 * taken off, what is left is a target of grpc-go. A string says what is wrong with it.
 */
export function parseGrpcTarget(endpoint: string): GrpcTarget | string {
  const secure = endpoint.startsWith('https://')
  const target = secure || endpoint.startsWith('http://') ? endpoint.replace(/^https?:\/\//, '') : endpoint
  const scheme = /^(unix|unix-abstract|ipv4|ipv6|dns|passthrough|xds|kubernetes|vsock):(?!\d{1,5}$)/.exec(target)?.[1]
  switch (scheme) {
    case 'unix':
      return unixTarget(target, secure)
    case 'unix-abstract': {
      const name = target.slice(scheme.length + 1)
      if (name === '') return 'expected the name of an abstract socket after "unix-abstract:", got nothing'
      return fixed([{ path: `\0${name}` }], target, 'localhost', secure)
    }
    case 'ipv4':
    case 'ipv6':
      return addressList(target.slice(5), scheme, endpoint, secure)
    case 'xds':
    case 'kubernetes':
    case 'vsock':
      return `expected ${FORMS}; the scheme "${scheme}:" is not known here, got "${endpoint}"`
    default:
      return hostTarget(target, scheme, endpoint, secure)
  }
}

function fixed(addresses: readonly DialAddress[], shown: string, authority: string, secure: boolean): GrpcTarget {
  return { name: undefined, addresses, secure, shown, authority }
}

function unixTarget(target: string, secure: boolean): GrpcTarget | string {
  const rest = target.slice('unix:'.length)
  const path = rest.startsWith('//') ? rest.slice(2) : rest
  if (path === '') return 'expected the path of a socket after "unix:", got nothing'
  if (rest.startsWith('//') && !path.startsWith('/')) {
    return `expected an absolute path after "unix://", got "${target}"; write "unix:${path}" for a relative one`
  }
  return fixed([{ path }], `unix:${path}`, 'localhost', secure)
}

/** `address[:port],…`, as gRPC's naming document has it; grpc-go's default port is that of HTTPS. */
function addressList(list: string, scheme: 'ipv4' | 'ipv6', endpoint: string, secure: boolean): GrpcTarget | string {
  const right = scheme === 'ipv4' ? isIPv4 : isIPv6
  const addresses: { host: string; port: number }[] = []
  for (const each of list.replace(/^\/\/\//, '').split(',')) {
    const bare = each.replace(/^\[(.*)\]$/, '$1')
    const parts = right(bare) ? { host: bare, port: 443 } : splitHostPort(each)
    if (typeof parts === 'string' || !right(parts.host)) {
      const like = scheme === 'ipv4' ? 'ipv4:10.0.0.1:4317' : 'ipv6:[fd00::1]:4317'
      return `expected addresses with their ports behind "${scheme}:", such as "${like}", got "${endpoint}"`
    }
    addresses.push(parts)
  }
  const { host, port } = addresses[0]!
  return fixed(addresses, `${scheme}:${list}`, formatHostPort(host, port), secure)
}

function hostTarget(
  target: string,
  scheme: string | undefined,
  endpoint: string,
  secure: boolean,
): GrpcTarget | string {
  let plain = scheme === undefined ? target : target.slice(scheme.length + 1)
  if (scheme !== undefined && plain.startsWith('//')) {
    const slash = plain.indexOf('/', 2)
    const server = plain.slice(2, slash < 0 ? undefined : slash)
    if (server !== '') {
      return `expected "${scheme}:///" with three slashes, got "${endpoint}"; names are looked up as this machine does it, not by a server of their own ("${server}")`
    }
    plain = plain.slice(3)
  }
  plain = plain.replace(/\/$/, '')
  if (plain === '') return 'expected host:port of the gRPC server to send to, got nothing'
  if (plain.includes('/')) return `expected ${FORMS} (gRPC has no path), got "${endpoint}"`
  const parts = splitHostPort(plain)
  if (typeof parts === 'string') return parts
  if (parts.host === '') return `expected host:port, got "${endpoint}"; the host is missing`
  // passthrough hands the name to the dialler: one connection, to whichever address answers.
  const resolved = scheme !== 'passthrough' && isIP(parts.host) === 0
  return {
    name: resolved ? parts : undefined,
    addresses: resolved ? [] : [parts],
    secure,
    shown: plain,
    authority: plain,
  }
}
