import { createWriteStream, type WriteStream } from 'node:fs'
import type { Writable } from 'node:stream'
import type { Logger } from 'pino'

/** What a stream may hold that its reader has not taken. */
const MOST_UNREAD_BYTES = 1 << 20

/** Where text is printed past the log: standard streams, which stay open, and files, which are appended to. */
export class Outputs {
  readonly #streams: readonly Writable[]
  readonly #files: WriteStream[] = []
  /** Batches that were left out since something was last printed. */
  readonly #missed = new Map<Writable, number>()

  constructor(paths: readonly string[], log: Logger) {
    this.#streams = paths.map((path) => {
      if (path === 'stdout') return process.stdout
      if (path === 'stderr') return process.stderr
      const file = createWriteStream(path, { flags: 'a' })
      // Once: a stream that failed takes nothing more.
      file.once('error', (error) => log.warn(`prints to ${path} no more: ${error.message}`))
      file.on('error', () => undefined)
      this.#files.push(file)
      return file
    })
  }

  print(text: string): void {
    for (const stream of this.#streams) if (stream.writable) this.#printTo(stream, text)
  }

  /** Leaves out what a reader that does not keep up would pile up in memory, and says so once it reads again. */
  #printTo(stream: Writable, text: string): void {
    const missed = this.#missed.get(stream) ?? 0
    if (stream.writableLength > MOST_UNREAD_BYTES) {
      this.#missed.set(stream, missed + 1)
      return
    }
    if (missed > 0) {
      this.#missed.delete(stream)
      stream.write(`… ${missed} ${missed === 1 ? 'batch is' : 'batches are'} not printed: the reader did not keep up\n`)
    }
    stream.write(`${text}\n`)
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#files.map(
        (file) =>
          new Promise<void>((resolve) => {
            if (file.destroyed) resolve()
            else file.once('close', resolve).end()
          }),
      ),
    )
  }
}
