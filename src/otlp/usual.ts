/*
 * Short cuts of `validate` for the messages that nearly all bytes are made of. Each runs over the fields that it knows, in
 * the encoding that every writer uses, and returns where it met something else; the general walk goes on from there and
 * alone decides what is malformed. Taking these out changes no result: it makes `validate` take 2.5 times as long, since
 * a switch over constants is one indexed jump and the general walk looks each field up (bench/wire, `validate`).
 */

/** Of a Span: all but events, links and status. */
export function usualSpan(bytes: Uint8Array, start: number, end: number): number {
  let p = start
  while (p < end) {
    const at = p
    switch (bytes[p++]) {
      case 74: {
        const stop = lengthEnd(bytes, p, end)
        if (stop < 0 || !isUsualKeyValue(bytes, bodyStart, stop)) return at
        p = stop
        break
      }
      case 10:
      case 18:
      case 26:
      case 34:
      case 42: {
        const stop = lengthEnd(bytes, p, end)
        if (stop < 0) return at
        p = stop
        break
      }
      case 57:
      case 65:
        p += 8
        break
      case 48:
      case 80:
      case 96:
      case 112:
        if (p >= end || bytes[p++]! > 127) return at
        break
      case 122:
        // A status without a code, as the SDKs write it.
        if (p >= end || bytes[p++] !== 0) return at
        break
      case 133:
        if (p >= end || bytes[p] !== 1) return at
        p += 5
        break
      default:
        return at
    }
    if (p > end) return at
  }
  return p
}

/** Of a LogRecord: all, where the body is a simple value. */
export function usualLogRecord(bytes: Uint8Array, start: number, end: number): number {
  let p = start
  while (p < end) {
    const at = p
    switch (bytes[p++]) {
      case 50: {
        const stop = lengthEnd(bytes, p, end)
        if (stop < 0 || !isUsualKeyValue(bytes, bodyStart, stop)) return at
        p = stop
        break
      }
      case 42: {
        const stop = lengthEnd(bytes, p, end)
        if (stop < 0 || !isUsualValue(bytes, bodyStart, stop)) return at
        p = stop
        break
      }
      case 26:
      case 74:
      case 82:
      case 98: {
        const stop = lengthEnd(bytes, p, end)
        if (stop < 0) return at
        p = stop
        break
      }
      case 9:
      case 89:
        p += 8
        break
      case 69:
        p += 4
        break
      case 16:
      case 56:
        if (p >= end || bytes[p++]! > 127) return at
        break
      default:
        return at
    }
    if (p > end) return at
  }
  return p
}

/** Of a NumberDataPoint: all but exemplars. */
export function usualNumberDataPoint(bytes: Uint8Array, start: number, end: number): number {
  let p = start
  while (p < end) {
    const at = p
    switch (bytes[p++]) {
      case 58: {
        const stop = lengthEnd(bytes, p, end)
        if (stop < 0 || !isUsualKeyValue(bytes, bodyStart, stop)) return at
        p = stop
        break
      }
      case 17:
      case 25:
      case 33:
      case 49:
        p += 8
        break
      case 64:
        if (p >= end || bytes[p++]! > 127) return at
        break
      default:
        return at
    }
    if (p > end) return at
  }
  return p
}

/** Where what `lengthEnd` measured begins. */
let bodyStart = 0

/** Where the bytes end whose length of one or two bytes stands at `at`; -1 for a longer length or one past `end`. */
function lengthEnd(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return -1
  let p = at + 1
  let length = bytes[at]!
  if (length > 127) {
    if (p >= end) return -1
    const second = bytes[p++]!
    if (second > 127) return -1
    length = (length & 127) | (second << 7)
  }
  bodyStart = p
  const stop = p + length
  return stop > end ? -1 : stop
}

/** Whether a KeyValue is a key and a simple value in this order and nothing else, as nearly every attribute is. */
export function isUsualKeyValue(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 4 || bytes[start] !== 10 || bytes[start + 1]! > 127) return false
  const valueTag = start + 2 + bytes[start + 1]!
  if (end - valueTag < 2 || bytes[valueTag] !== 18) return false
  const length = bytes[valueTag + 1]!
  if (length < 128) return end - valueTag - 2 === length && isUsualValue(bytes, valueTag + 2, end)
  return (
    end - valueTag > 2 &&
    bytes[valueTag + 2]! < 128 &&
    end - valueTag - 3 === ((length & 127) | (bytes[valueTag + 2]! << 7)) &&
    isUsualValue(bytes, valueTag + 3, end)
  )
}

/** Whether an AnyValue is empty or one scalar in the encoding that every writer uses. */
function isUsualValue(bytes: Uint8Array, start: number, end: number): boolean {
  const size = end - start
  if (size < 2) return size === 0
  switch (bytes[start]) {
    case 10:
    case 58: {
      const length = bytes[start + 1]!
      if (length < 128) return size === length + 2
      return size > 2 && bytes[start + 2]! < 128 && size === ((length & 127) | (bytes[start + 2]! << 7)) + 3
    }
    case 16:
      return size === 2 && bytes[start + 1]! < 128
    case 24:
      return (
        (size === 2 && bytes[start + 1]! < 128) || (size === 3 && bytes[start + 1]! > 127 && bytes[start + 2]! < 128)
      )
    case 33:
      return size === 9
    default:
      return false
  }
}
