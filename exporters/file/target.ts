import { constants } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import type { Clock } from '../../src/clock.ts'
import type { SharedPiece } from '../../src/memory/shared-board.ts'
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
  /** What the lanes that write it share. */
  readonly piece: SharedPiece
  /** Told what went wrong with old files; the records are safe. */
  readonly warn: (message: string) => void
}

/** What all lanes know of the file. `GENERATION` is how many files there were under its name; 0: nobody has opened it yet. */
const GENERATION = 1
/** 1: a write may have left something behind the whole records. */
const TORN = 2
/** Of the doubles: where the whole records end. */
const SIZE = 2

/**
 * A file of whole records, which several lanes write, one at a time. Whatever fails, it holds every record that `write` has
 * returned for, in order, and after the next success nothing else: also where a lane died while it wrote.
 */
export class Target {
  readonly #options: TargetOptions
  readonly #piece: SharedPiece
  #file: fs.FileHandle
  #generation: number

  private constructor(options: TargetOptions, file: fs.FileHandle) {
    this.#options = options
    this.#piece = options.piece
    this.#file = file
    this.#generation = options.piece.cells[GENERATION]!
  }

  /** Opens or makes the file; the first to do so empties or repairs it, and `removed` bytes of a torn record at its end are gone. */
  static async open(options: TargetOptions): Promise<{ readonly target: Target; readonly removed: number }> {
    const { piece, append, rotation } = options
    await piece.hold()
    try {
      if (piece.cells[GENERATION] !== 0)
        return { target: new Target(options, await openFile(options, true)), removed: 0 }
      const { file, size, removed } = await openWhole(options, append || rotation !== undefined)
      piece.doubles[SIZE] = size
      piece.cells[TORN] = 0
      piece.cells[GENERATION] = 1
      return { target: new Target(options, file), removed }
    } finally {
      piece.release()
    }
  }

  /** Appends whole records. On a rejection none of them is in the file, or will be once the next write succeeds. */
  async write(records: Uint8Array): Promise<void> {
    const { cells, doubles } = this.#piece
    await this.#piece.hold()
    try {
      await this.#follow()
      if (cells[TORN] === 1) {
        await this.#file.truncate(doubles[SIZE])
        cells[TORN] = 0
      }
      const { rotation } = this.#options
      if (rotation !== undefined && doubles[SIZE]! > 0 && doubles[SIZE]! + records.byteLength > rotation.maxBytes) {
        await this.#rotate(rotation)
      }
      // Until it is whole, also for those who find the file after this thread.
      cells[TORN] = 1
      await this.#append(records)
      doubles[SIZE]! += records.byteLength
      cells[TORN] = 0
    } finally {
      this.#piece.release()
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  async #append(records: Uint8Array): Promise<void> {
    const { cells, doubles } = this.#piece
    try {
      await this.#file.appendFile(records)
    } catch (error) {
      await this.#file.truncate(doubles[SIZE]).then(
        () => {
          cells[TORN] = 0
        },
        // The next write tries again, and fails where this still does.
        () => undefined,
      )
      throw error
    }
  }

  /** Another lane has begun a new file. */
  async #follow(): Promise<void> {
    const generation = this.#piece.cells[GENERATION]!
    if (generation === this.#generation) return
    const file = await openFile(this.#options, true)
    await this.#file.close()
    this.#file = file
    this.#generation = generation
  }

  async #rotate(rotation: Rotation): Promise<void> {
    const { path: file, clock } = this.#options
    const { cells, doubles } = this.#piece
    let at = clock.now()
    while (await exists(backupName(file, at, rotation.localTime))) at++
    await fs.rename(file, backupName(file, at, rotation.localTime)).catch((error: NodeJS.ErrnoException) => {
      // An earlier attempt got as far as here and could not open the new file; or somebody took the full one away.
      if (error.code !== 'ENOENT') throw error
    })
    const next = await openWhole(this.#options, true)
    await this.#file.close()
    this.#file = next.file
    // In this order: with the size of the new file, the others must not write to the one that they have open.
    cells[GENERATION]!++
    doubles[SIZE] = next.size
    this.#generation = cells[GENERATION]!
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

function openFile({ path: file }: TargetOptions, keep: boolean): Promise<fs.FileHandle> {
  const { O_RDWR, O_CREAT, O_APPEND, O_TRUNC } = constants
  return fs.open(file, O_RDWR | O_CREAT | O_APPEND | (keep ? 0 : O_TRUNC), 0o644)
}

/** Opens it, and cuts off what is no whole record. */
async function openWhole(
  options: TargetOptions,
  keep: boolean,
): Promise<{ readonly file: fs.FileHandle; readonly size: number; readonly removed: number }> {
  const file = await openFile(options, keep)
  try {
    const { size } = await file.stat()
    const whole = await (options.framed ? wholeFrames : wholeLines)(file, size)
    if (whole.end < size) await file.truncate(whole.end)
    if (whole.newline) await file.appendFile('\n')
    return { file, size: whole.end + (whole.newline ? 1 : 0), removed: size - whole.end }
  } catch (error) {
    await file.close()
    throw error
  }
}

async function exists(file: string): Promise<boolean> {
  return fs.access(file).then(
    () => true,
    () => false,
  )
}
