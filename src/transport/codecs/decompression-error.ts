/** A body that could not be decompressed. */
export class DecompressionError extends Error {
  /**
   * `malformed`: it is not what its encoding says. `too_large`: it was fine as far as it was read, but is longer than the
   * limit. `no_room`: the budget had no room for it, which may be different in a moment.
   */
  readonly reason: 'malformed' | 'too_large' | 'no_room'

  constructor(message: string, reason: DecompressionError['reason'], options?: ErrorOptions) {
    super(message, options)
    this.name = 'DecompressionError'
    this.reason = reason
  }

  get tooLarge(): boolean {
    return this.reason === 'too_large'
  }
}

/**
 * Most frames, or chunks that hold nothing, in one body. Senders make one, or one a MiB; each costs a decoder as much as hundreds
 * of bytes of content, so that 20 MiB of empty ones would hold a thread for seconds.
 */
export const MOST_FRAMES = 4096

/** An error of `malformed` data. */
export function malformed(message: string): DecompressionError {
  return new DecompressionError(message, 'malformed')
}
