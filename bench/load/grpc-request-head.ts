import { END_HEADERS, frame, HEADERS } from './http2/frames.ts'
import { encodeFields } from './http2/hpack.ts'

const DIGITS = 8
/** Nothing is ever put into the table: its size may as well be 0. */
const EMPTY_TABLE = Buffer.from([0x20])
/** By so many µs the time-outs of requests differ, as those of a real client do. */
const SPREAD = 99_991

export interface RequestFields {
  readonly authority: string
  readonly path: string
  readonly timeoutMs: number
  readonly encoding: string | undefined
}

/** The HEADERS of gRPC requests that only differ in their `grpc-timeout`: made once, of literals, and written over and over. */
export class RequestHead {
  readonly #frame: Buffer
  readonly #first: Buffer
  readonly #timeoutMicros: number
  #written = 0

  constructor({ authority, path, timeoutMs, encoding }: RequestFields) {
    // Eight digits are the most that gRPC allows.
    this.#timeoutMicros = Math.min(10 ** DIGITS - 1, Math.max(1, Math.floor(timeoutMs * 1000)))
    const block = encodeFields([
      [':method', 'POST'],
      [':scheme', 'http'],
      [':path', path],
      [':authority', authority],
      ['content-type', 'application/grpc'],
      ['te', 'trailers'],
      ['user-agent', 'sluice-bench/1'],
      ...(encoding === undefined ? [] : [['grpc-encoding', encoding] as const]),
      ['grpc-timeout', `${'0'.repeat(DIGITS)}u`],
    ])
    this.#frame = frame(HEADERS, END_HEADERS, 0, block)
    this.#first = frame(HEADERS, END_HEADERS, 0, Buffer.concat([EMPTY_TABLE, block]))
  }

  /** `unsized`: the server has set the size of its header table since the last block, which has to be answered (RFC 7541, section 4.2). */
  length(unsized: boolean): number {
    return unsized ? this.#first.length : this.#frame.length
  }

  /** Writes the HEADERS of the next request. */
  write(into: Buffer, at: number, stream: number, unsized: boolean): void {
    const template = unsized ? this.#first : this.#frame
    into.set(template, at)
    into.writeUInt32BE(stream, at + 5)
    const end = at + template.length
    const digits = end - 1 - DIGITS
    const micros = this.#timeoutMicros - (this.#written++ % Math.min(SPREAD, this.#timeoutMicros))
    for (let digit = DIGITS - 1, rest = micros; digit >= 0; digit--, rest = Math.floor(rest / 10)) {
      into[digits + digit] = 0x30 + (rest % 10)
    }
  }
}
