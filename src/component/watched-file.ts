import { readFile } from 'node:fs/promises'
import type { Timer } from '../clock.ts'
import type { ComponentContext } from './contracts.ts'

// Read whole rather than watched by the kernel: a mounted secret is a link to a folder that is swapped, which watches miss.
// The files are a few hundred bytes.
const EVERY_MS = 1000

/** A small text file that may change while the engine runs: secrets, tokens. */
export class WatchedFile {
  readonly #path: string
  readonly #ctx: ComponentContext
  readonly #configuredBy: string
  readonly #take: (text: string) => void
  #text: string | undefined
  #timer: Timer | undefined
  #problem = ''
  #stopped = false

  /**
   * `take` gets the text at first and whenever it is another; it throws where that is not usable. `configuredBy` is the key that
   * names the file.
   */
  constructor(path: string, ctx: ComponentContext, configuredBy: string, take: (text: string) => void) {
    this.#path = path
    this.#ctx = ctx
    this.#configuredBy = configuredBy
    this.#take = take
  }

  /** Rejects where the file cannot be read or used at first. */
  async start(): Promise<void> {
    try {
      await this.#read()
    } catch (cause) {
      throw new Error(this.#explained(cause), { cause })
    }
    this.#wait()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #wait(): void {
    if (this.#stopped) return
    this.#timer = this.#ctx.clock.setTimeout(() => void this.#again(), EVERY_MS)
  }

  async #again(): Promise<void> {
    try {
      if (await this.#read()) this.#ctx.log.info(`${this.#configuredBy}: "${this.#path}" has changed and is in use`)
      this.#problem = ''
    } catch (error) {
      const problem = this.#explained(error)
      if (problem !== this.#problem) this.#ctx.log.warn(`${problem}; what was read before stays in use`)
      this.#problem = problem
    }
    this.#wait()
  }

  /** Whether it is another text than before. */
  async #read(): Promise<boolean> {
    const text = await readFile(this.#path, 'utf8')
    if (this.#stopped || text === this.#text) return false
    this.#take(text)
    this.#text = text
    return true
  }

  #explained(error: unknown): string {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === undefined ? message : `${code}; is the path right, and may this user read it?`
    return `${this.#configuredBy}: cannot use "${this.#path}": ${why}`
  }
}
