import { timingSafeEqual } from 'node:crypto'
import type { Component, ComponentContext } from '../../src/component/contracts.ts'
import type { ClientAuthenticator, ServerAuthenticator } from '../../src/component/extension-roles.ts'
import { WatchedFile } from '../../src/component/watched-file.ts'
import { type CallHead, type CallStatus, GRPC } from '../../src/transport/unary.ts'

interface Settings {
  readonly header: string
  readonly scheme: string
  readonly token?: string | undefined
  readonly tokens: readonly string[]
  readonly filename?: string | undefined
}

/** Both ends of bearer tokens: what requests carry, and what clients must show. */
export class BearerTokens implements Component, ClientAuthenticator, ServerAuthenticator {
  readonly requiresTls = true
  readonly #header: string
  readonly #scheme: string
  readonly #file: WatchedFile | undefined
  /** Whole header values, scheme included. */
  #accepted: readonly Uint8Array[] = []
  #headers: Readonly<Record<string, string>> = {}

  constructor(settings: Settings, ctx: ComponentContext) {
    const { filename, token, tokens } = settings
    this.#header = settings.header.toLowerCase()
    this.#scheme = settings.scheme
    if (filename === undefined) {
      this.#use(token === undefined ? tokens : [token])
    } else {
      if (token !== undefined || tokens.length > 0) ctx.log.warn('filename is set: token and tokens are not used')
      this.#file = new WatchedFile(filename, ctx, 'filename', (text) => {
        const found = text.split('\n').flatMap((line) => line.trim() || [])
        if (found.length === 0) throw new Error('there is no token in it')
        this.#use(found)
      })
    }
  }

  #use(tokens: readonly string[]): void {
    const values = tokens.map((token) => (this.#scheme === '' ? token : `${this.#scheme} ${token}`))
    this.#accepted = values.map((value) => Buffer.from(value))
    this.#headers = { [this.#header]: values[0]! }
  }

  start(): Promise<void> | void {
    return this.#file?.start()
  }

  stop(): void {
    this.#file?.stop()
  }

  headers(): Readonly<Record<string, string>> {
    return this.#headers
  }

  authenticate(head: CallHead): CallStatus | undefined {
    const shown = head.header(this.#header)
    if (shown === undefined || shown === '') {
      return { code: GRPC.UNAUTHENTICATED, message: `missing or empty authorization header: ${this.#header}` }
    }
    const bytes = Buffer.from(shown)
    let known = false
    for (const each of this.#accepted) known = (each.length === bytes.length && timingSafeEqual(each, bytes)) || known
    return known ? undefined : { code: GRPC.UNAUTHENTICATED, message: 'scheme or token does not match' }
  }
}
