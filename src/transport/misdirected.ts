/** Hears of connections that ended before there was a request: whose, and what is odd about them, with a way out. */
export type Complaint = (peer: string, text: string) => void

const HTTP2_PREFACE = 'PRI * HTTP/2.0'
const TLS_HANDSHAKE = 0x16
const CLEAR_TEXT_TO_TLS: ReadonlySet<string> = new Set([
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
])

/** What is odd about bytes that are no HTTP/1.1; undefined where they are just broken. */
export function oddToHttp(error: Error & { readonly rawPacket?: Buffer }): string | undefined {
  const bytes = error.rawPacket
  if (bytes === undefined) return undefined
  if (bytes[0] === TLS_HANDSHAKE)
    return 'speaks TLS to a port without; configure `tls` here, or an http:// endpoint there'
  if (bytes.toString('latin1', 0, HTTP2_PREFACE.length) !== HTTP2_PREFACE) return undefined
  return 'speaks gRPC to the HTTP port; its endpoint should be that of protocols.grpc'
}

/** The same for what is no HTTP/2. */
export function oddToGrpc(error: Error): string | undefined {
  if (!/bad client magic/i.test(error.message)) return undefined
  return 'speaks no HTTP/2 to the gRPC port; if it speaks HTTP, its endpoint should be that of protocols.http, if TLS, `tls` is missing here'
}

/** Why a TLS handshake failed. */
export function oddToTls(error: NodeJS.ErrnoException): string | undefined {
  const { code = '' } = error
  // Port scans and health checks connect and go.
  if (code === 'ECONNRESET' || code === 'EPIPE') return undefined
  if (CLEAR_TEXT_TO_TLS.has(code)) return 'speaks clear text to a port with TLS; it has to use TLS, or `tls` to go here'
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') {
    return 'shows no certificate, which `tls.client_ca_file` asks for'
  }
  if (code === 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA' || code === 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN') {
    return 'does not trust the certificate of this server; give it the authority that signed it'
  }
  return `fails at the TLS handshake: ${code === '' ? error.message : code}`
}
