import type { Signal } from '../otlp/batch.ts'
import { fromJson } from '../otlp/json-input.ts'
import { NoRoomError } from '../otlp/wire-error.ts'
import type { Refusal } from './admission.ts'
import type { Reservation } from './reservation.ts'

/**
 * Puts the protobuf form of the OTLP/JSON document that is a reservation's body in its place. Memory for it is booked before it is taken; a
 * refusal says that there was no room. Throws a `WireError` for what is no such document, a
 * `NoRoomError` for what becomes more than `limit` bytes.
 */
export function jsonBody(reservation: Reservation, signal: Signal, limit: number): Refusal | undefined {
  let refusal: Refusal | undefined
  const reserve = (bytes: number): boolean => {
    refusal = reservation.grow(bytes)
    return refusal === undefined
  }
  try {
    reservation.replace(fromJson(signal, reservation.body, { limit, reserve }))
    return undefined
  } catch (error) {
    if (refusal !== undefined && error instanceof NoRoomError) return refusal
    throw error
  }
}
