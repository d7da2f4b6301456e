import type { Refusal } from './admission.ts'
import { DecompressionError } from './codecs/decompression-error.ts'
import { decompress, type Encoding } from './compression.ts'
import type { Reservation } from './reservation.ts'

/**
 * Puts what `compressed`, a reservation's body, decompresses to in its place. Every piece of memory is booked before it is
 * taken; a refusal says that there was no room for one. Throws a `DecompressionError` for what cannot be decompressed or becomes more
 * than `limit` bytes.
 */
export function decompressBody(
  reservation: Reservation,
  encoding: Encoding,
  compressed: Uint8Array,
  limit: number,
): Refusal | undefined {
  let refusal: Refusal | undefined
  const reserve = (bytes: number): boolean => {
    refusal = reservation.grow(bytes)
    return refusal === undefined
  }
  try {
    reservation.replace(decompress(encoding, compressed, { limit, reserve }))
    return undefined
  } catch (error) {
    if (refusal !== undefined && error instanceof DecompressionError) return refusal
    throw error
  }
}
