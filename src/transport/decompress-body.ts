import type { Refusal } from './admission.ts'

import { DecompressionError } from './codecs/decompression-error.ts'
import { passesAsItIs } from './compressed-form.ts'
import { decompress, type Encoding } from './compression.ts'
import type { Reservation } from './reservation.ts'

/**
 * Puts what `compressed`, a reservation's body, decompresses to in its place. What came is kept where the request may leave as it is: `kept`
 * false where nobody will send what comes out here. Every piece of memory is booked before it is
 * taken; a refusal says that there was no room for one. Throws a `DecompressionError` for what cannot be decompressed or becomes more
 * than `limit` bytes.
 */
export function decompressBody(
  reservation: Reservation,
  encoding: Encoding,
  compressed: Uint8Array,
  limit: number,
  kept = true,
): Refusal | undefined {
  let refusal: Refusal | undefined
  const reserve = (bytes: number): boolean => {
    refusal = reservation.grow(bytes)
    return refusal === undefined
  }
  try {
    const body = decompress(encoding, compressed, { limit, reserve })
    const form = { encoding, bytes: compressed }
    if (kept && passesAsItIs(form, body.length)) reservation.unpack(body, form)
    else reservation.replace(body)
    return undefined
  } catch (error) {
    if (refusal !== undefined && error instanceof DecompressionError) return refusal
    throw error
  }
}
