/**
 * Hears of connections that ended before there was a request: whose, and what is odd about them, with a way out. TLS
 * handshakes that fail are its context's to say.
 */
export type Complaint = (peer: string, text: string) => void

const HTTP2_PREFACE = 'PRI * HTTP/2.0'
const TLS_HANDSHAKE = 0x16

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
