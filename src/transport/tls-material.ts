import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as tls from 'node:tls'
import type { Clock } from '../clock.ts'
import { SluiceError } from '../errors.ts'

/** What reloading needs of whoever reloads. */
export interface TlsEnvironment {
  /** Shown in `TLS_…` errors: `protocols.grpc.tls`. */
  readonly configuredBy: string
  readonly clock: Pick<Clock, 'monotonic' | 'now'>
  readonly log?: {
    info(fields: object, message: string): void
    warn(fields: object, message: string): void
  }
}

/** Where one text comes from. */
export interface TlsSource {
  /** The key that names the file: `cert_file`. */
  readonly key: string
  readonly file?: string | undefined
  readonly text?: string | undefined
  /** Milliseconds between looks at the file; 0 for one, at the start. */
  readonly everyMs: number
}

export type TlsSources<K extends string> = Readonly<Record<K, TlsSource>>
export type TlsTexts<K extends string> = Partial<Record<K, string>>

/** A file that could not be used is looked at again after this long, even where it changes seldom: its neighbour may be on the way. */
const RETRY_MS = 1000

/**
 * Certificates, keys and authorities, and when to read them again. As in the Collector nothing is read while nobody connects:
 * whoever is about to use them asks first, and the look is due or not. Files are compared by content, because an orchestrator
 * swaps folders under them and clocks of file systems are coarse. They are small and read in one go, so that the very
 * connection that finds a new certificate due is served with it.
 */
export class TlsMaterial<K extends string> {
  texts: TlsTexts<K>
  readonly #sources: readonly (readonly [K, TlsSource])[]
  readonly #environment: TlsEnvironment
  readonly #build: (texts: TlsTexts<K>) => tls.SecureContextOptions
  readonly #dueAt = new Map<K, number>()
  #nextLook = Number.POSITIVE_INFINITY
  #lastProblem = ''

  /** Reads everything; throws `TLS_FILE_UNREADABLE` or `TLS_MATERIAL_INVALID`. `build` makes what is tried of the texts. */
  constructor(
    sources: TlsSources<K>,
    environment: TlsEnvironment,
    build: (texts: TlsTexts<K>) => tls.SecureContextOptions,
  ) {
    this.#sources = Object.entries(sources) as [K, TlsSource][]
    this.#environment = environment
    this.#build = build
    const now = environment.clock.monotonic()
    this.texts = {}
    for (const [name, source] of this.#sources) {
      const text = source.file === undefined ? source.text : read(source, environment.configuredBy)
      if (text !== undefined) this.texts[name] = text
      if (source.file !== undefined && source.everyMs > 0) this.#dueAt.set(name, now + source.everyMs)
    }
    this.#nextLook = Math.min(...this.#dueAt.values())
    check(this.#build(this.texts), environment.configuredBy)
  }

  /** False where no file is ever read again. */
  get reloads(): boolean {
    return this.#dueAt.size > 0
  }

  /** Reads what is due. True where something changed and can be used; what cannot be is said in the log, and the old stays. */
  refresh(): boolean {
    if (this.#dueAt.size === 0) return false
    const now = this.#environment.clock.monotonic()
    if (now < this.#nextLook) return false
    const changed = this.#look(now)
    this.#nextLook = Math.min(...this.#dueAt.values())
    return changed
  }

  #look(now: number): boolean {
    let changed = false
    const texts = { ...this.texts }
    const looked: [K, TlsSource][] = []
    try {
      for (const [name, source] of this.#sources) {
        if (now < (this.#dueAt.get(name) ?? Number.POSITIVE_INFINITY)) continue
        this.#dueAt.set(name, now + source.everyMs)
        looked.push([name, source])
        const text = read(source, this.#environment.configuredBy)
        if (text === texts[name]) continue
        texts[name] = text
        changed = true
      }
      if (changed) check(this.#build(texts), this.#environment.configuredBy)
    } catch (error) {
      for (const [name, source] of looked) this.#dueAt.set(name, now + Math.min(source.everyMs, RETRY_MS))
      this.#failed(error as SluiceError)
      return false
    }
    if (looked.length > 0) this.#lastProblem = ''
    if (!changed) return false
    this.texts = texts
    this.#say(looked.map(([, source]) => source.key))
    return true
  }

  /** Once for each problem: a file that stays bad would be in the log with every connection. */
  #failed(error: SluiceError): void {
    if (error.message === this.#lastProblem) return
    this.#lastProblem = error.message
    const text = `${error.message}; what was read before stays in use`
    this.#environment.log?.warn({ code: 'TLS_RELOAD_FAILED' }, text)
  }

  #say(keys: readonly string[]): void {
    const { configuredBy, clock, log } = this.#environment
    const { cert } = this.texts as TlsTexts<'cert'>
    const found = cert === undefined ? undefined : new X509Certificate(cert)
    const until = found === undefined ? {} : { subject: found.subject, valid_to: found.validTo }
    log?.info({ keys, ...until }, `${configuredBy}: changed files were read again; new connections use them`)
    if (found !== undefined && Date.parse(found.validTo) < clock.now()) {
      log?.warn(
        { code: 'TLS_CERTIFICATE_EXPIRED', ...until },
        `${configuredBy}: the certificate that was read has expired`,
      )
    }
  }
}

function read(source: TlsSource, configuredBy: string): string {
  try {
    return readFileSync(source.file!, 'utf8')
  } catch (cause) {
    throw new SluiceError(
      'TLS_FILE_UNREADABLE',
      `${configuredBy}.${source.key}: cannot read "${source.file}" (${(cause as NodeJS.ErrnoException).code}); is the path right, and may this user read it?`,
      { cause },
    )
  }
}

/** Certificates are parsed here and not at the first connection, hours later. */
function check(options: tls.SecureContextOptions, configuredBy: string): void {
  try {
    tls.createSecureContext(options)
  } catch (cause) {
    throw new SluiceError(
      'TLS_MATERIAL_INVALID',
      `${configuredBy}: certificate, key or authorities are not usable: ${(cause as Error).message}; ` +
        'expected PEM, and a key that belongs to the certificate',
      { cause },
    )
  }
}
