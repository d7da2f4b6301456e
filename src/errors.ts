/**
 * An error a person reads: says what was expected, what was seen and a way out.
 * `code` is one of the codes in the README table of this folder.
 */
export class SluiceError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SluiceError'
    this.code = code
  }
}
