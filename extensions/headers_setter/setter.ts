import type { Component, ComponentContext } from '../../src/component/contracts.ts'
import { type ClientAuthenticator, clientAuthenticator } from '../../src/component/extension-roles.ts'
import { WatchedFile } from '../../src/component/watched-file.ts'
import type { BatchContext } from '../../src/otlp/batch.ts'
import { UnsendableError } from '../../src/transport/sign.ts'

export interface HeaderSettings {
  readonly action: 'insert' | 'update' | 'upsert' | 'delete'
  readonly key: string
  readonly value?: string | undefined
  readonly value_file?: string | undefined
  readonly from_context?: string | undefined
  readonly from_attribute?: string | undefined
  readonly default_value?: string | undefined
}

type Value = (context: BatchContext | undefined) => string | undefined

interface Rule {
  readonly action: HeaderSettings['action']
  /** In lower case. */
  readonly name: string
  readonly value: Value
}

/** Changes the headers of every request by its rules. */
export class HeadersSetter implements Component, ClientAuthenticator {
  readonly #ctx: ComponentContext
  readonly #files: WatchedFile[] = []
  readonly #rules: readonly Rule[]
  readonly #additionalAuth: string | undefined
  #additional: ClientAuthenticator | undefined

  constructor(
    config: { readonly headers: readonly HeaderSettings[]; readonly additional_auth?: string | undefined },
    ctx: ComponentContext,
  ) {
    this.#ctx = ctx
    this.#additionalAuth = config.additional_auth
    this.#rules = config.headers.map((header, index) => ({
      action: header.action,
      name: header.key.toLowerCase(),
      value: this.#source(header, index),
    }))
  }

  async start(): Promise<void> {
    for (const file of this.#files) await file.start()
  }

  stop(): void {
    for (const file of this.#files) file.stop()
  }

  get requiresTls(): boolean {
    return this.#other()?.requiresTls === true
  }

  /** Found when it is first needed: it may start later than this one. */
  #other(): ClientAuthenticator | undefined {
    if (this.#additionalAuth === undefined) return undefined
    this.#additional ??= clientAuthenticator(this.#ctx, this.#additionalAuth, 'additional_auth')
    return this.#additional
  }

  async headers(
    context?: BatchContext,
    sent: Readonly<Record<string, string>> = {},
  ): Promise<Readonly<Record<string, string | undefined>>> {
    const changes: Record<string, string | undefined> = { ...(await this.#other()?.headers(context, sent)) }
    for (const { action, name, value } of this.#rules) {
      const there = (name in changes ? changes[name] : sent[name]) !== undefined
      if (action === 'delete') changes[name] = undefined
      else if (action === 'upsert' || (action === 'insert') !== there) {
        const found = value(context)
        if (found !== undefined) changes[name] = found
      }
    }
    return changes
  }

  #source(header: HeaderSettings, index: number): Value {
    const { value, value_file: file, from_context: key, from_attribute: attribute, default_value: fallback } = header
    if (file !== undefined) {
      let text: string | undefined
      this.#files.push(
        new WatchedFile(file, this.#ctx, `headers[${index}].value_file`, (content) => {
          text = content.trim()
        }),
      )
      return () => text
    }
    if (key !== undefined) {
      const name = key.toLowerCase()
      return (context) => only(context?.metadata?.[name], name) ?? fallback
    }
    if (attribute !== undefined) {
      return (context) => {
        const found = context?.auth?.[attribute]
        return (typeof found === 'string' ? found : only(found, attribute)) ?? fallback
      }
    }
    return () => value
  }
}

function only(values: readonly string[] | undefined, name: string): string | undefined {
  if (values === undefined || values.length <= 1) return values?.[0]
  throw new UnsendableError(`the client sent "${name}" ${values.length} times, and which one to use is not known`)
}
