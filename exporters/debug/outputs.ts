import { createWriteStream, type WriteStream } from 'node:fs'
import type { Writable } from 'node:stream'
import type { Logger } from 'pino'

/** Where text is printed past the log: standard streams, which stay open, and files, which are appended to. */
export class Outputs {
  readonly #streams: readonly Writable[]
  readonly #files: WriteStream[] = []

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
    for (const stream of this.#streams) if (stream.writable) stream.write(`${text}\n`)
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
