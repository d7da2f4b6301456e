/** The peer broke a rule of RFC 9113 or RFC 7541 after which nothing on the connection can be understood. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}
