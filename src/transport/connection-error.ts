const UNTRUSTED: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** An error of a connection that no system call made. */
export function connectionError(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code })
}

/** Why there is no connection, with the way out where there is a usual one. OpenSSL's own words help nobody. */
export function connectionFailureText(error: NodeJS.ErrnoException): string {
  const { code = '', message } = error
  if (/wrong version number|packet length too long/.test(message)) {
    return 'the peer does not speak TLS; for clear text set tls.insecure: true (gRPC) or an http:// endpoint (HTTP)'
  }
  if (UNTRUSTED.has(code)) {
    return `no known authority signed the peer's certificate (${code}); name its authority with tls.ca_file`
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `the peer's certificate is for another name (${message}); set tls.server_name_override if that is right`
  }
  if (code === 'CERT_HAS_EXPIRED') return "the peer's certificate has expired (CERT_HAS_EXPIRED)"
  if (code.startsWith('HPE_') || message.startsWith('Response does not match the HTTP/1.1 protocol')) {
    return `the peer does not answer in HTTP/1.1; is this its HTTP port? 4317 is usually the gRPC one; if it expects TLS, write https://`
  }
  if (code === 'UND_ERR_SOCKET' && message === 'other side closed')
    return 'the peer closed the connection without an answer'
  if (code === 'ENOTFOUND') return `${message}; no such name, or no name server that knows it`
  if (code === 'ERR_HTTP2_ERROR' || code === 'ERR_HTTP2_SESSION_ERROR') {
    return `the peer breaks HTTP/2 (${message}); is this its gRPC port? 4318 is usually the HTTP one`
  }
  const alert = /:SSL alert number \d+|ssl(?:v3|\/tls) alert ([a-z ]+)|alert ([a-z ]+):/i.exec(message)
  if (alert !== null && message.includes('SSL routines')) {
    return `the peer refused the TLS handshake: ${(alert[1] ?? alert[2] ?? message).trim()}`
  }
  // Every address of a name failed: an AggregateError without words of its own.
  return message === '' ? code : message
}
