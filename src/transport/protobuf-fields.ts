/**
 * Just enough protobuf for the small messages around a call: statuses and Export responses. Telemetry itself never goes
 * through here.
 */

/** One field of a message: a varint's value, or the bytes of a length-delimited one. */
export type FieldValue = number | Uint8Array

/**
 * Calls `visit` for each varint (rounded past 2^53, negative as signed 64-bit) and length-delimited field, in order;
 * fixed-width fields are skipped. False when the bytes are no message.
 */
export function visitFields(bytes: Uint8Array, visit: (field: number, value: FieldValue) => void): boolean {
  const reader = new Varints(bytes)
  while (reader.at < bytes.length) {
    const tag = reader.next()
    const field = Math.floor(tag / 8)
    if (!(field >= 1)) return false
    switch (tag % 8) {
      case 0: {
        const value = reader.next()
        if (Number.isNaN(value)) return false
        visit(field, value)
        break
      }
      case 1:
        reader.at += 8
        break
      case 2: {
        const length = reader.next()
        if (!(length >= 0 && reader.at + length <= bytes.length)) return false
        visit(field, bytes.subarray(reader.at, reader.at + length))
        reader.at += length
        break
      }
      case 5:
        reader.at += 4
        break
      default:
        return false
    }
  }
  return reader.at === bytes.length
}

class Varints {
  at = 0
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The varint at the cursor as a signed 64-bit number; NaN when it is cut or too long. */
  next(): number {
    let low = 0
    let high = 0
    for (let i = 0; i < 10; i++) {
      const byte = this.#bytes[this.at++]
      if (byte === undefined) return Number.NaN
      if (i < 4) low += (byte & 0x7f) * 2 ** (7 * i)
      else if (i < 9) high += (byte & 0x7f) * 2 ** (7 * (i - 4))
      else high += (byte & 0x01) * 2 ** 35
      if (byte < 0x80) {
        // 28 bits in `low`, 36 in `high`: bit 63 is the top one of `high`.
        return (high >= 2 ** 35 ? high - 2 ** 36 : high) * 2 ** 28 + low
      }
    }
    return Number.NaN
  }
}

/** A varint field. Negative numbers take ten bytes, as int32 and int64 do. */
export function varintField(field: number, value: number): number[] {
  return [...varint(field * 8), ...varint(value)]
}

/** A length-delimited field. */
export function bytesField(field: number, value: ArrayLike<number>): number[] {
  return [...varint(field * 8 + 2), ...varint(value.length), ...Array.from(value)]
}

function varint(value: number): number[] {
  let rest = BigInt.asUintN(64, BigInt(Math.trunc(value)))
  const out: number[] = []
  while (rest > 0x7fn) {
    out.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  out.push(Number(rest))
  return out
}
