/** The layout of HTTP/2's frames (RFC 9113, sections 4 and 6), and how they are written. */

/** What every connection of a client begins with. */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** Length (3), type, flags, stream (4). */
export const HEAD_BYTES = 9
/** What a frame may hold as long as nobody says otherwise, and nobody here does. */
export const MOST_PAYLOAD = 16_384
/** Windows of connections and streams before anybody says otherwise. */
export const DEFAULT_WINDOW = 65_535
export const MOST_STREAM = 0x7fff_ffff

export const DATA = 0
export const HEADERS = 1
export const RST_STREAM = 3
export const SETTINGS = 4
export const PUSH_PROMISE = 5
export const PING = 6
export const GOAWAY = 7
export const WINDOW_UPDATE = 8
export const CONTINUATION = 9

export const ACK = 0x1
export const END_STREAM = 0x1
export const END_HEADERS = 0x4
export const PADDED = 0x8
export const PRIORITY = 0x20

export const NO_ERROR = 0
export const REFUSED_STREAM = 7
export const CANCEL = 8

export const HEADER_TABLE_SIZE = 1
export const ENABLE_PUSH = 2
export const MAX_CONCURRENT_STREAMS = 3
export const INITIAL_WINDOW_SIZE = 4

/** Writes the head of a frame and gives where its payload begins. */
export function writeHead(
  into: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): number {
  into[at] = length >>> 16
  into[at + 1] = length >>> 8
  into[at + 2] = length
  into[at + 3] = type
  into[at + 4] = flags
  into[at + 5] = stream >>> 24
  into[at + 6] = stream >>> 16
  into[at + 7] = stream >>> 8
  into[at + 8] = stream
  return at + HEAD_BYTES
}

export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + payload.length)
  bytes.set(payload, writeHead(bytes, 0, payload.length, type, flags, stream))
  return bytes
}

export function settings(values: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(values.length * 6)
  values.forEach(([id, value], i) => {
    payload.writeUInt16BE(id, i * 6)
    payload.writeUInt32BE(value, i * 6 + 2)
  })
  return frame(SETTINGS, 0, 0, payload)
}

/** WINDOW_UPDATE and RST_STREAM: one number of 32 bits. */
export function numberFrame(type: number, stream: number, value: number): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + 4)
  bytes.writeUInt32BE(value, writeHead(bytes, 0, 4, type, 0, stream))
  return bytes
}

export const SETTINGS_ACK = frame(SETTINGS, ACK, 0, Buffer.alloc(0))
