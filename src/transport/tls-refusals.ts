import type * as tls from 'node:tls'
import { formatHostPort } from './listen-address.ts'
import type { TlsEnvironment } from './tls-material.ts'

const EVERY_MS = 60_000

/**
 * Says in the log why clients do not get through the handshake, which nobody else on this side could: one line a minute for
 * each reason, with how often it was in between. Who connects and leaves is not mentioned: probes do.
 */
export function explainRefusals(server: tls.Server, { configuredBy, clock, log }: TlsEnvironment): void {
  const said = new Map<string, { at: number; unsaid: number }>()
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: tls.TLSSocket) => {
    const reason = reasonOf(error, socket)
    if (reason === undefined) return
    const now = clock.monotonic()
    const last = said.get(reason)
    if (last !== undefined && now - last.at < EVERY_MS) {
      last.unsaid++
      return
    }
    const unsaid =
      last === undefined || last.unsaid === 0 ? '' : `; so did ${last.unsaid} others since the last line about it`
    said.set(reason, { at: now, unsaid: 0 })
    const { remoteAddress, remotePort } = socket
    const who = remoteAddress === undefined ? 'a client' : formatHostPort(remoteAddress, remotePort ?? 0)
    log?.warn({ code: 'TLS_HANDSHAKE_FAILED' }, `${configuredBy}: ${who} failed to connect: ${reason}${unsaid}`)
  })
}

/** One of few texts; undefined for a client that only left. */
function reasonOf(error: NodeJS.ErrnoException, socket: tls.TLSSocket): string | undefined {
  // Set, whatever the types say, where the client's certificate is what was wrong: Node then only closes the connection.
  const refused = socket.authorizationError as Error | string | null | undefined
  if (refused) {
    const code = typeof refused === 'string' ? refused : ((refused as NodeJS.ErrnoException).code ?? refused.message)
    return code === 'CERT_HAS_EXPIRED'
      ? 'its certificate has expired'
      : `no authority of client_ca_file signed its certificate (${code})`
  }
  const { code = '' } = error
  if (code === 'ECONNRESET') return undefined
  const known = REASONS[code]
  if (known !== undefined) return known
  const alert = /ALERT_([A-Z_]+)$/.exec(code)?.[1]?.toLowerCase().replaceAll('_', ' ')
  // Not with OpenSSL's own words, which hold addresses of memory and are another text each time.
  if (alert === undefined) return code === '' ? 'the handshake failed' : `the handshake failed (${code})`
  return /certificate|unknown ca/.test(alert)
    ? `it does not trust this certificate (alert: ${alert}); it needs the authority that signed it, and another name may be asked for than the certificate has`
    : `it broke the handshake off (alert: ${alert})`
}

const NO_TLS = 'it does not speak TLS; turn TLS on there, or off here'
const REASONS: Readonly<Record<string, string>> = {
  ERR_SSL_HTTP_REQUEST: NO_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'it showed no certificate, which client_ca_file asks for',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it speaks no version of TLS that min_version and max_version allow',
  ERR_SSL_NO_SHARED_CIPHER: 'it has none of the cipher suites of this side; see cipher_suites',
  ERR_SSL_NO_SUITABLE_KEY_SHARE: 'it has none of the key exchanges of this side; see curve_preferences',
  ERR_SSL_NO_SHARED_GROUPS: 'it has none of the key exchanges of this side; see curve_preferences',
}
