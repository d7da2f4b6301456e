import { BlockList, isIP } from 'node:net'
import { splitHostPort } from './listen-address.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` say, in either case, read as Go's httpproxy package reads them. */
export class ProxyEnvironment {
  readonly #proxies: Readonly<Record<'http' | 'https', URL | undefined>>
  readonly #exceptions: readonly Exception[]

  /** Throws where a proxy's URL makes no sense; the message names the variable and keeps its credentials to itself. */
  constructor(env: Environment) {
    this.#proxies = { http: proxyOf(env, 'HTTP_PROXY'), https: proxyOf(env, 'HTTPS_PROXY') }
    this.#exceptions = exceptions(env['NO_PROXY'] || env['no_proxy'] || '')
  }

  /** The proxy to a server; undefined where it is reached directly. Loopback always is. */
  proxyFor(scheme: 'http' | 'https', host: string, port: number): URL | undefined {
    const proxy = this.#proxies[scheme]
    if (proxy === undefined) return undefined
    const name = host.toLowerCase().replace(/\.$/, '')
    if (name === 'localhost' || isLoopback(name)) return undefined
    return this.#exceptions.some((exempt) => exempt(name, port)) ? undefined : proxy
  }
}

function proxyOf(env: Environment, variable: string): URL | undefined {
  const value = env[variable] || env[variable.toLowerCase()] || ''
  if (value === '') return undefined
  const url = parseProxyUrl(value)
  if (typeof url === 'string') throw new Error(`environment variable ${variable}: ${url}`)
  return url
}

/** A proxy's URL, `http://` in front where there is no scheme; a string says what is wrong, without the credentials in it. */
export function parseProxyUrl(value: string): URL | string {
  const text = /^[a-z0-9+.-]+:\/\//i.test(value) ? value : `http://${value}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^(?:https?|socks5h?):$/.test(url.protocol) && url.hostname !== '') return url
  const shown = text.replace(/\/\/[^/]*@/, '//***@')
  return `expected the URL of a proxy, such as "http://proxy:3128", got "${shown}"`
}

type Exception = (host: string, port: number) => boolean

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

function isLoopback(host: string): boolean {
  return contains(loopback, host)
}

function contains(list: BlockList, host: string): boolean {
  const version = isIP(host)
  return version !== 0 && list.check(host, version === 4 ? 'ipv4' : 'ipv6')
}

/** `*`, networks (`10.0.0.0/8`), addresses, names (with what is below them) and `.names` (only below), each with a port or without. */
function exceptions(list: string): Exception[] {
  const found: Exception[] = []
  for (const each of list.split(',')) {
    const entry = each.trim().toLowerCase()
    if (entry === '') continue
    if (entry === '*') return [() => true]
    const exception = networkException(entry) ?? hostException(entry)
    if (exception !== undefined) found.push(exception)
  }
  return found
}

function networkException(entry: string): Exception | undefined {
  const [address = '', bits = ''] = entry.split('/')
  const version = isIP(address)
  if (version === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (version === 4 ? 32 : 128)) return undefined
  const network = new BlockList()
  network.addSubnet(address, Number(bits), version === 4 ? 'ipv4' : 'ipv6')
  return (host) => contains(network, host)
}

function hostException(entry: string): Exception | undefined {
  const parts = splitHostPort(entry)
  const wanted = typeof parts === 'string' ? undefined : parts.port
  const host = typeof parts === 'string' ? entry.replace(/^\[(.*)\]$/, '$1') : parts.host
  if (host === '') return undefined
  const version = isIP(host)
  const portFits = (port: number): boolean => wanted === undefined || wanted === port
  if (version !== 0) {
    const address = new BlockList()
    address.addAddress(host, version === 4 ? 'ipv4' : 'ipv6')
    return (other, port) => contains(address, other) && portFits(port)
  }
  const below = host.startsWith('*.') ? host.slice(1) : host
  const suffix = below.startsWith('.') ? below : `.${below}`
  const itself = below.startsWith('.') ? undefined : below
  return (other, port) => (other.endsWith(suffix) || other === itself) && portFits(port)
}
