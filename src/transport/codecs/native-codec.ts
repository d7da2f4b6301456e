import type * as zlib from 'node:zlib'

/** What node:zlib's streams keep under `_handle`; packages outside Node rely on its shape, and Node keeps it for them. */
interface Handle {
  onerror: (message: string, errno: number, code: string) => void
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputLength: number,
    output: Uint8Array,
    outputAt: number,
    outputLength: number,
  ): void
  reset(): void
  close(): void
}

type Stream = zlib.Gunzip | zlib.Inflate | zlib.ZstdDecompress | zlib.Gzip | zlib.Deflate | zlib.ZstdCompress

/**
 * A decoder or encoder of node:zlib that writes where it is told and is used again. `gunzipSync` and its like make a stream, an output
 * buffer and a copy of what it keeps each time: 16 µs instead of 7 for a body of 2 KB, 51 instead of 35 for 20 KB, and every
 * output is memory of its own instead of an arena.
 */
export class NativeCodec {
  /** Why it cannot go on; it is of no more use then. */
  error: string | undefined
  readonly #handle: Handle
  readonly #state: Uint32Array

  private constructor(handle: Handle, state: Uint32Array) {
    this.#handle = handle
    this.#state = state
    handle.onerror = (message) => {
      this.error = message
    }
  }

  /** Undefined where this Node's streams are built differently: whoever asks has to use the public functions. */
  static of(stream: Stream): NativeCodec | undefined {
    const { _handle: handle, _writeState: state } = stream as unknown as { _handle?: Handle; _writeState?: Uint32Array }
    const usable = typeof handle?.writeSync === 'function' && state instanceof Uint32Array && state.length === 2
    return usable ? new NativeCodec(handle, state) : undefined
  }

  /** Takes as much as there is of the input, or as fits into the output. `error`, `unread` and `unfilled` say how far. */
  step(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    output: Uint8Array,
    outputAt: number,
    outputLength: number,
  ): void {
    this.#handle.writeSync(flush, input, inputAt, input.length - inputAt, output, outputAt, outputLength)
  }

  /** Bytes of the last step's input that it left. */
  get unread(): number {
    return this.#state[1]!
  }

  /** Bytes of the last step's output that it left. */
  get unfilled(): number {
    return this.#state[0]!
  }

  /** Forgets what came so far. */
  reset(): void {
    this.#handle.reset()
  }

  close(): void {
    this.#handle.close()
  }
}
