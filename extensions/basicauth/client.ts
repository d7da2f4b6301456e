import type { Component, ComponentContext } from '../../src/component/contracts.ts'
import type { ClientAuthenticator } from '../../src/component/extension-roles.ts'
import { WatchedFile } from '../../src/component/watched-file.ts'

interface Settings {
  readonly username?: string | undefined
  readonly username_file?: string | undefined
  readonly password?: string | undefined
  readonly password_file?: string | undefined
}

/** Sends a user name and password with every request. */
export class PasswordClient implements Component, ClientAuthenticator {
  readonly requiresTls = true
  readonly #files: WatchedFile[] = []
  #username: string
  #password: string
  #headers: Readonly<Record<string, string>> = {}

  constructor(settings: Settings, ctx: ComponentContext) {
    this.#username = settings.username ?? ''
    this.#password = settings.password ?? ''
    const watch = (path: string | undefined, key: string, take: (value: string) => void): void => {
      if (path === undefined || path === '') return
      const taken = (text: string): void => {
        take(text.trim())
        this.#renew()
      }
      this.#files.push(new WatchedFile(path, ctx, `client_auth.${key}`, taken))
    }
    watch(settings.username_file, 'username_file', (value) => {
      if (value.includes(':')) throw new Error('a user name with ":", which ends it on the wire')
      this.#username = value
    })
    watch(settings.password_file, 'password_file', (value) => {
      this.#password = value
    })
    this.#renew()
  }

  #renew(): void {
    const credentials = Buffer.from(`${this.#username}:${this.#password}`).toString('base64')
    this.#headers = { authorization: `Basic ${credentials}` }
  }

  async start(): Promise<void> {
    for (const file of this.#files) await file.start()
  }

  stop(): void {
    for (const file of this.#files) file.stop()
  }

  headers(): Readonly<Record<string, string>> {
    return this.#headers
  }
}
