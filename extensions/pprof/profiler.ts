import type { Clock } from '../../src/clock.ts'
import type { Host, ProfiledThread } from '../../src/component/host.ts'

/** What was measured on one thread: V8's profile, a JSON text. */
export interface Recording {
  readonly thread: string
  readonly json: string
}

/** Recordings of the same span of time. */
export interface Recordings {
  readonly recordings: readonly Recording[]
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly durationMs: number
}

/** Why nothing was measured; `status` in HTTP's terms. */
export class ProfilerError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'ProfilerError'
    this.status = status
  }
}

/** Measures threads of a process, one measurement of a kind at a time, since V8 has one profiler a thread. */
export class Profiler {
  readonly #host: Host
  readonly #clock: Clock
  readonly #busy = new Set<'cpu' | 'heap'>()

  constructor(host: Host, clock: Clock) {
    this.#host = host
    this.#clock = clock
  }

  /** The thread that is named, or all of them where none is. */
  async threads(name: string | null): Promise<readonly ProfiledThread[]> {
    const all = await this.#host.threads()
    if (name === null) return all
    const found = all.filter((thread) => thread.name === name)
    if (found.length === 0) {
      const names = all.map((thread) => thread.name).join(', ')
      throw new ProfilerError(404, `no thread is named ${JSON.stringify(name)}; there are ${names}`)
    }
    return found
  }

  /** Begins to measure; the function that it resolves with ends it. A thread that has ended meanwhile is left out. */
  async begin(kind: 'cpu' | 'heap', threads: readonly ProfiledThread[]): Promise<() => Promise<Recordings>> {
    if (this.#busy.has(kind)) {
      // Go's pprof answers so, and its clients know it.
      throw new ProfilerError(500, `Could not enable ${kind} profiling: ${kind} profiling already in use`)
    }
    this.#busy.add(kind)
    const startedAt = this.#clock.now()
    const start = this.#clock.monotonic()
    const running = await Promise.allSettled(
      threads.map(async (thread) => ({
        thread: thread.name,
        end: await (kind === 'cpu' ? thread.cpuProfile() : thread.heapProfile()),
      })),
    )
    const started = fulfilled(running)
    if (started.length === 0) {
      this.#busy.delete(kind)
      const failure = running.find((each) => each.status === 'rejected')
      throw new ProfilerError(500, `Could not enable ${kind} profiling: ${String(failure?.reason ?? 'no thread runs')}`)
    }
    return async () => {
      try {
        const ended = await Promise.allSettled(
          started.map(async ({ thread, end }) => ({ thread, json: String(await end()) })),
        )
        const durationMs = this.#clock.monotonic() - start
        return { recordings: fulfilled(ended), startedAt, durationMs }
      } finally {
        this.#busy.delete(kind)
      }
    }
  }

  /** Measures for `ms`, or until the signal aborts. */
  async measure(
    kind: 'cpu' | 'heap',
    threads: readonly ProfiledThread[],
    ms: number,
    signals: readonly AbortSignal[],
  ): Promise<Recordings> {
    const end = await this.begin(kind, threads)
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimeout(done, ms)
      function done(): void {
        timer.cancel()
        for (const signal of signals) signal.removeEventListener('abort', done)
        resolve()
      }
      for (const signal of signals) {
        if (signal.aborted) done()
        else signal.addEventListener('abort', done)
      }
    })
    return end()
  }
}

function fulfilled<T>(results: readonly PromiseSettledResult<T>[]): T[] {
  return results.filter((result) => result.status === 'fulfilled').map(({ value }) => value)
}
