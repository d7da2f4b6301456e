const ECHO_MS = 300

/**
 * SIGINT and SIGTERM, counted; those that come together are one, since npm and timeout pass on what the terminal has sent
 * to the whole group already. A closed standard output is a stop too: what a `debug` exporter prints there would pile up
 * in memory. SIGHUP is a stop where a terminal went away; elsewhere it is how the Collector is told to
 * reload, and must not kill.
 */
export class Signals {
  readonly first: Promise<void>
  readonly second: Promise<void>
  readonly #listeners: Readonly<Record<'SIGINT' | 'SIGTERM' | 'SIGHUP', () => void>>

  constructor(warn: (text: string) => void) {
    const first = Promise.withResolvers<void>()
    const second = Promise.withResolvers<void>()
    this.first = first.promise
    this.second = second.promise
    let seen = 0
    let last = Number.NEGATIVE_INFINITY
    const stop = (): void => {
      const now = performance.now()
      const echo = now - last < ECHO_MS
      last = now
      if (!echo) (++seen === 1 ? first : second).resolve()
    }
    const hangUp = (): void => warn('SIGHUP: this version does not reload; the configuration that runs stays')
    this.#listeners = { SIGINT: stop, SIGTERM: stop, SIGHUP: process.stdin.isTTY ? stop : hangUp }
    for (const [name, listener] of Object.entries(this.#listeners)) process.on(name, listener)
    process.stdout.once('error', () => {
      if (seen > 0) return
      warn('standard output was closed by its reader, so this stops')
      stop()
    })
  }

  release(): void {
    for (const [name, listener] of Object.entries(this.#listeners)) process.off(name, listener)
  }
}
