// A call into the runtime for each run costs as much as a loop over this many bytes.
const SHORT = 16

/** Copies `length` bytes between two arrays. */
export function copyRun(from: Uint8Array, fromAt: number, to: Uint8Array, toAt: number, length: number): void {
  if (length > SHORT) {
    to.set(from.subarray(fromAt, fromAt + length), toAt)
    return
  }
  for (let i = 0; i < length; i++) to[toAt + i] = from[fromAt + i]!
}

/** Repeats `length` bytes that begin `offset` before `at`; where they overlap what they write, they repeat it: LZ77's copy. */
export function copyMatch(bytes: Uint8Array, at: number, offset: number, length: number): void {
  if (length > SHORT && offset >= length) {
    bytes.copyWithin(at, at - offset, at - offset + length)
    return
  }
  if (length > SHORT && offset === 1) {
    bytes.fill(bytes[at - 1]!, at, at + length)
    return
  }
  for (let i = 0; i < length; i++) bytes[at + i] = bytes[at - offset + i]!
}
