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

/** A request that is well-formed, but that what it is to be rewritten as has no room for. */
export class NoRoomError extends WireError {
  constructor(offset: number, reason: string) {
    super(offset, reason)
    this.name = 'NoRoomError'
  }
}
