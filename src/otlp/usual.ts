/*
 * Short cuts of `validate` for the messages that nearly all bytes are made of. Each runs over the fields that it knows, in
 * the encoding that every writer uses, and returns where it met something else; the general walk takes that field, alone
 * decides what is malformed, and comes back here for the next. Taking these out changes no result: it makes `validate` take
 * 2.5 times as long, since a switch over constants is one indexed jump and the general walk looks each field up (bench/wire,
 * `validate`).
 */

/** Of a Span: all but links, and a status with a code. */
export function usualSpan(bytes: Uint8Array, start: number, end: number): number {
  let p = start
  while (p < end) {
    const at = p
    switch (bytes[p++]) {
      case 74: {
        p = usualKeyValue(bytes, p, end)
        if (p < 0) return at
        break
      }
      case 90: {
        const stop = lengthEnd(bytes, p, end)
        if (stop < 0 || usualEvent(bytes, bodyStart, stop) < stop) return at
        p = stop
        break
      }
      case 10:
      case 18:
      case 26:
      case 34:
      case 42: {
        if (p >= end) return at
        const length = bytes[p++]!
        if (length < 128) p += length
        else {
          p = longer(bytes, length, p, end)
          if (p < 0) return at
        }
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

/** Of a span's Event: all. */
function usualEvent(bytes: Uint8Array, start: number, end: number): number {
  let p = start
  while (p < end) {
    const at = p
    switch (bytes[p++]) {
      case 26: {
        p = usualKeyValue(bytes, p, end)
        if (p < 0) return at
        break
      }
      case 18: {
        if (p >= end) return at
        const length = bytes[p++]!
        if (length < 128) p += length
        else {
          p = longer(bytes, length, p, end)
          if (p < 0) return at
        }
        break
      }
      case 9:
        p += 8
        break
      case 32:
        if (p >= end || bytes[p++]! > 127) return at
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
        p = usualKeyValue(bytes, p, end)
        if (p < 0) return at
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
        if (p >= end) return at
        const length = bytes[p++]!
        if (length < 128) p += length
        else {
          p = longer(bytes, length, p, end)
          if (p < 0) return at
        }
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
        p = usualKeyValue(bytes, p, end)
        if (p < 0) return at
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

/** Where the bytes end whose length of two bytes begins with `first` and goes on at `at`; -1 for a longer one. */
function longer(bytes: Uint8Array, first: number, at: number, end: number): number {
  if (at >= end || bytes[at]! > 127) return -1
  return at + 1 + ((first & 127) | (bytes[at]! << 7))
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

/**
 * Where the KeyValue ends whose length stands at `at`; -1 unless it is a key and a simple value in this order and nothing
 * else, as nearly every attribute is, and lies before `end`.
 *
 * One comparison for each thing that can differ, most wrong lengths meet the same one: this runs a dozen times a record.
 */
export function usualKeyValue(bytes: Uint8Array, at: number, end: number): number {
  // The shortest with a value: lengths and tags of all three, an empty key, an empty value.
  if (end - at < 5) return -1
  let p = at + 1
  let length = bytes[at]!
  if (length > 127) {
    const second = bytes[p++]!
    if (second > 127) return -1
    length = (length & 127) | (second << 7)
  }
  const stop = p + length
  if (length < 4 || stop > end || bytes[p] !== 10) return -1
  const keyLength = bytes[p + 1]!
  p += 2 + keyLength
  // Its value has a tag and a length.
  if (keyLength > 127 || p + 2 > stop || bytes[p] !== 18) return -1
  const valueLength = bytes[p + 1]!
  p += 2
  if (valueLength > 127) {
    if (p === stop || bytes[p]! > 127) return -1
    if (stop - p - 1 !== ((valueLength & 127) | (bytes[p]! << 7))) return -1
    p++
  } else if (stop - p !== valueLength) return -1
  return isUsualValue(bytes, p, stop) ? stop : -1
}

/** Whether an AnyValue is empty or one scalar in the encoding that every writer uses. */
function isUsualValue(bytes: Uint8Array, start: number, end: number): boolean {
  const size = end - start
  if (size < 2) return size === 0
  const first = bytes[start + 1]!
  switch (bytes[start]) {
    case 10:
    case 58:
      if (first < 128) return size === first + 2
      return size > 2 && bytes[start + 2]! < 128 && size === ((first & 127) | (bytes[start + 2]! << 7)) + 3
    case 24: {
      // Ten bytes are left to the walk, which knows how large the last may be.
      if (size > 10) return false
      const last = end - 1
      for (let p = start + 1; p < last; p++) if (bytes[p]! < 128) return false
      return bytes[last]! < 128
    }
    case 16:
      return size === 2 && first < 128
    case 33:
      return size === 9
    default:
      return false
  }
}
