import { SluiceError } from '../errors.ts'

/** Says whose address could not be bound, why, and what can be done. */
export function listenError(cause: NodeJS.ErrnoException, shown: string, configuredBy: string): SluiceError {
  const failure = `${configuredBy}: cannot listen on ${shown}`
  switch (cause.code) {
    case 'EADDRINUSE':
      return new SluiceError(
        'LISTEN_ADDRESS_IN_USE',
        `${failure}, another program has it; stop that program, or set another endpoint`,
        { cause },
      )
    case 'EACCES':
    case 'EPERM':
      return new SluiceError(
        'LISTEN_NOT_PERMITTED',
        `${failure}, this user may not; take a port above 1023 or a path it may write to, or grant CAP_NET_BIND_SERVICE`,
        { cause },
      )
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EADDRNOTAVAIL':
      return new SluiceError(
        'LISTEN_ADDRESS_UNKNOWN',
        `${failure}, the name or address is none of this machine's (${cause.code}); ` +
          'take one that it has, or 0.0.0.0 for all of them',
        { cause },
      )
    default:
      return new SluiceError('LISTEN_FAILED', `${failure}: ${cause.message}`, { cause })
  }
}
