import { constants } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import type { Clock } from '../../src/clock.ts'
import { wholeFrames, wholeLines } from './repair.ts'
import { backupName, expired, type Rotation } from './rotation.ts'

export interface TargetOptions {
  readonly path: string
  /** Keep what is there; off, empty it. Rotation always keeps. */
  readonly append: boolean
  /** Records stand after their lengths, else on lines. */
  readonly framed: boolean
  readonly rotation: Rotation | undefined
  readonly clock: Clock
  /** Told what went wrong with old files; the records are safe. */
  readonly warn: (message: string) => void
}

/**
 * A file of whole records. Whatever fails, it holds every record that `write` has returned for, in order, and after the
 * next success nothing else.
 */
export class Target {
  readonly #options: TargetOptions
  #file: fs.FileHandle
  /** Where the whole records end. */
  #size: number
  /** A write failed and left something behind `#size`. */
  #torn = false

  private constructor(options: TargetOptions, file: fs.FileHandle, size: number) {
    this.#options = options
    this.#file = file
    this.#size = size
  }

  /** Opens or makes the file; `removed` bytes of a torn record at its end are gone. */
  static async open(options: TargetOptions): Promise<{ readonly target: Target; readonly removed: number }> {
    const keep = options.append || options.rotation !== undefined
    const { O_RDWR, O_CREAT, O_APPEND, O_TRUNC } = constants
    const file = await fs.open(options.path, O_RDWR | O_CREAT | O_APPEND | (keep ? 0 : O_TRUNC), 0o644)
    try {
      const { size } = await file.stat()
      const whole = await (options.framed ? wholeFrames : wholeLines)(file, size)
      if (whole.end < size) await file.truncate(whole.end)
      if (whole.newline) await file.appendFile('\n')
      return { target: new Target(options, file, whole.end + (whole.newline ? 1 : 0)), removed: size - whole.end }
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Appends whole records. On a rejection none of them is in the file, or will be once the next write succeeds. */
  async write(records: Uint8Array): Promise<void> {
    if (this.#torn) {
      await this.#file.truncate(this.#size)
      this.#torn = false
    }
    const { rotation } = this.#options
    if (rotation !== undefined && this.#size > 0 && this.#size + records.byteLength > rotation.maxBytes) {
      await this.#rotate(rotation)
    }
    try {
      await this.#file.appendFile(records)
      this.#size += records.byteLength
    } catch (error) {
      this.#torn = true
      await this.#file.truncate(this.#size).then(
        () => {
          this.#torn = false
        },
        // The next write tries again, and fails where this still does.
        () => undefined,
      )
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  async #rotate(rotation: Rotation): Promise<void> {
    const { path: file, clock } = this.#options
    let at = clock.now()
    while (await exists(backupName(file, at, rotation.localTime))) at++
    await fs.rename(file, backupName(file, at, rotation.localTime)).catch((error: NodeJS.ErrnoException) => {
      // An earlier attempt got as far as here and could not open the new file; or somebody took the full one away.
      if (error.code !== 'ENOENT') throw error
    })
    const { target } = await Target.open(this.#options)
    await this.#file.close()
    this.#file = target.#file
    this.#size = target.#size
    await this.#removeExpired(rotation).catch((error: Error) => {
      this.#options.warn(`cannot delete old files beside ${file}: ${error.message}`)
    })
  }

  async #removeExpired(rotation: Rotation): Promise<void> {
    const { path: file, clock } = this.#options
    const directory = path.dirname(file)
    for (const name of expired(file, await fs.readdir(directory), clock.now(), rotation)) {
      // Another program may have taken it away.
      await fs.rm(path.join(directory, name), { force: true })
    }
  }
}

async function exists(file: string): Promise<boolean> {
  return fs.access(file).then(
    () => true,
    () => false,
  )
}
