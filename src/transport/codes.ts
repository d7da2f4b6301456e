/** Error codes of this folder and what each means, for the README's table. */
export const TRANSPORT_CODES = {
  LISTEN_ADDRESS_IN_USE: 'Another program listens on the address.',
  LISTEN_NOT_PERMITTED: 'This user may not listen there: a port below 1024, or a path it cannot write to.',
  LISTEN_ADDRESS_UNKNOWN: "The name or address to listen on is none of this machine's.",
  LISTEN_FAILED: 'Listening failed for a reason of the operating system, which the message quotes.',
  TLS_FILE_UNREADABLE: 'A certificate or key file cannot be read.',
  TLS_CERTIFICATE_EXPIRED: 'Warning: a certificate that was read again has expired already.',
  TLS_HANDSHAKE_FAILED: 'Warning: a client could not connect over TLS, for the reason that the message names.',
  TLS_MATERIAL_INVALID: 'Certificate, key or authorities are no PEM, or do not belong together.',
  TLS_RELOAD_FAILED: 'Warning: a changed certificate, key or authority file is not usable; the old one stays in use.',
} as const
