import { writeFile } from 'node:fs/promises'
import type { Component, Deadline } from '../../src/component/contracts.ts'
import type { HostContext } from '../../src/component/host.ts'
import { parseListenAddress } from '../../src/transport/listen-address.ts'
import { type Page, type PageRequest, PageServer, text } from '../../src/transport/page-server.ts'
import { CPU, encodePprof, HEAP } from './encode.ts'
import { indexPage } from './index-page.ts'
import { Profiler, ProfilerError, type Recordings } from './profiler.ts'
import { type CpuProfile, cpuStacks, type HeapProfile, heapStacks } from './v8-profiles.ts'

export interface PprofSettings {
  readonly endpoint: string
  readonly save_to_file: string
}

const PREFIX = '/debug/pprof/'
/** As Go's: what a profile takes that does not say for how long. */
const CPU_SECONDS = 30
const HEAP_SECONDS = 10
/** V8 keeps every sample in memory until the end. */
const MOST_SECONDS = 600
/** Longest that a request may take to arrive. */
const REQUEST_MS = 10_000

/** Serves profiles of the engine's threads at Go's paths, in pprof's format and in V8's own. */
export class PprofExtension implements Component {
  readonly #settings: PprofSettings
  readonly #ctx: HostContext
  readonly #profiler: Profiler
  readonly #server: PageServer
  readonly #stopping = new AbortController()
  /** Ends the measurement of `save_to_file`. */
  #endSaved: Promise<() => Promise<Recordings>> | undefined
  #saved: Promise<void> | undefined

  constructor(settings: PprofSettings, ctx: HostContext) {
    this.#settings = settings
    this.#ctx = ctx
    this.#profiler = new Profiler(ctx.host, ctx.clock)
    const address = parseListenAddress(settings.endpoint, 'tcp')
    if (typeof address === 'string') throw new Error(`endpoint: ${address}`)
    this.#server = new PageServer(
      {
        address,
        configuredBy: 'endpoint',
        headers: { 'x-content-type-options': 'nosniff' },
        readTimeoutMs: REQUEST_MS,
        readHeaderTimeoutMs: REQUEST_MS,
        writeTimeoutMs: 0,
        idleTimeoutMs: REQUEST_MS,
        keepAlive: true,
      },
      (request) => this.#answer(request),
    )
  }

  async start(): Promise<void> {
    this.#ctx.listening({ transport: 'http', address: await this.#server.start() })
  }

  ready(): void {
    if (this.#settings.save_to_file === '') return
    this.#endSaved = this.#profiler.threads(null).then((threads) => this.#profiler.begin('cpu', threads))
    this.#endSaved.catch((err: unknown) => this.#ctx.log.error({ err }, 'save_to_file: the CPU profile did not start'))
  }

  /** Threads end with the lanes, so what is being measured of them ends before. */
  stopping(): void {
    this.#stopping.abort()
    this.#saved = this.#endSaved?.then(async (end) => this.#save(await end()))
    this.#saved?.catch(() => {})
  }

  async stop(deadline: Deadline): Promise<void> {
    this.#stopping.abort()
    await this.#server.stop(deadline.signal)
    const saved = this.#saved
    this.#saved = undefined
    await saved
  }

  async #save(recordings: Recordings): Promise<void> {
    const file = this.#settings.save_to_file
    await writeFile(file, await cpuPprof(recordings))
    this.#ctx.log.info(`CPU profile written to ${file}; read it with "go tool pprof ${file}"`)
  }

  async #answer(request: PageRequest): Promise<Page> {
    const { path, query } = request
    if (path === '/' || path === '/debug/pprof') {
      return { status: 301, type: 'text/plain', body: '', headers: { location: PREFIX } }
    }
    if (!path.startsWith(PREFIX)) return notFound(path)
    try {
      switch (path.slice(PREFIX.length)) {
        case '':
          return indexPage((await this.#profiler.threads(null)).map(({ name }) => name))
        case 'profile':
          return binary(await cpuPprof(await this.#measure('cpu', request)), 'profile')
        case 'heap':
          return binary(await heapPprof(await this.#measure('heap', request)), 'heap')
        case 'cpuprofile':
          return v8(await this.#measure('cpu', request, true), 'cpuprofile')
        case 'heapprofile':
          return v8(await this.#measure('heap', request, true), 'heapprofile')
        case 'heapsnapshot': {
          const [thread] = await this.#profiler.threads(query.get('thread') ?? 'lane-1')
          return file(await thread!.heapSnapshot(), `${thread!.name}.heapsnapshot`, 'application/json')
        }
        case 'cmdline':
          return text(200, process.argv.join('\0'))
        case 'symbol':
          // Names stand in the profiles themselves; a client that asks is told that there are some.
          return text(200, 'num_symbols: 1\n')
        default:
          return notFound(path)
      }
    } catch (error) {
      if (!(error instanceof ProfilerError)) throw error
      return text(error.status, `${error.message}\n`, { 'x-go-pprof': '1' })
    }
  }

  async #measure(kind: 'cpu' | 'heap', { query, gone }: PageRequest, oneThread = false): Promise<Recordings> {
    const seconds = secondsOf(query.get('seconds'), kind === 'cpu' ? CPU_SECONDS : HEAP_SECONDS)
    const threads = await this.#profiler.threads(query.get('thread') ?? (oneThread ? 'lane-1' : null))
    return this.#profiler.measure(kind, threads, seconds * 1000, [gone, this.#stopping.signal])
  }
}

function secondsOf(asked: string | null, otherwise: number): number {
  if (asked === null) return otherwise
  const seconds = Number(asked)
  if (!(seconds > 0 && seconds <= MOST_SECONDS)) {
    throw new ProfilerError(400, `seconds: expected a number above 0, at most ${MOST_SECONDS}, got "${asked}"`)
  }
  return seconds
}

function cpuPprof({ recordings, startedAt, durationMs }: Recordings): Promise<Uint8Array> {
  const threads = recordings.map(({ thread, json }) => ({ thread, stacks: cpuStacks(JSON.parse(json) as CpuProfile) }))
  return encodePprof(CPU, threads, startedAt, durationMs)
}

function heapPprof({ recordings, startedAt, durationMs }: Recordings): Promise<Uint8Array> {
  const threads = recordings.map(({ thread, json }) => ({
    thread,
    stacks: heapStacks(JSON.parse(json) as HeapProfile),
  }))
  return encodePprof(HEAP, threads, startedAt, durationMs)
}

function v8({ recordings }: Recordings, extension: string): Page {
  const [only] = recordings
  if (only === undefined) throw new ProfilerError(500, 'the thread ended while it was measured')
  return file(only.json, `${only.thread}.${extension}`, 'application/json')
}

function binary(body: Uint8Array, name: string): Page {
  return file(body, name, 'application/octet-stream')
}

function file(body: Page['body'], name: string, type: string): Page {
  const headers = { 'content-disposition': `attachment; filename="${name}"` }
  return { status: 200, type, body, headers }
}

function notFound(path: string): Page {
  const text = `there is no ${path}; ${PREFIX} lists what there is. Go's goroutine, mutex, block, threadcreate, allocs and trace have no counterpart in Node.\n`
  return { status: 404, type: 'text/plain; charset=utf-8', body: text, headers: { 'x-go-pprof': '1' } }
}
