import { SluiceError } from '../errors.ts'

/** Bytes that are not the serialization of the message they should be. `offset` counts from the start of the request. */
export class WireError extends SluiceError {
  readonly offset: number
  readonly reason: string

  constructor(offset: number, reason: string) {
    super('WIRE_MALFORMED', `malformed OTLP at byte ${offset}: ${reason}`)
    this.name = 'WireError'
    this.offset = offset
    this.reason = reason
  }
}
