import type { AuthAttributes, CallStatus, RequestHead } from '../transport/unary.ts'
import type { ComponentContext } from './contracts.ts'
import { type Gatekeeper, gatekeeper, serverAuthenticator } from './extension-roles.ts'

/** `auth` and `middlewares` of a server, as `../config/authorise-fields.ts` has them. */
export interface AuthoriserConfig {
  readonly auth?: { readonly authenticator: string; readonly request_params?: readonly string[] } | undefined
  readonly middlewares: readonly { readonly id: string }[]
}

export type Authorise = (head: RequestHead) => CallStatus | undefined | Promise<CallStatus | undefined>

/**
 * Who is asked at a request's headers: the authenticator, then the gatekeepers in their order. Undefined where nobody is, so
 * that such requests pay nothing. For `start`: throws where an extension is missing or cannot do what it is named for.
 * `below` stands before the keys in errors (`protocols.grpc.`).
 */
export function authoriserOf(
  { auth, middlewares }: AuthoriserConfig,
  ctx: ComponentContext,
  below: string,
): Authorise | undefined {
  const gates = middlewares.map(({ id }, index) => gatekeeper(ctx, id, `${below}middlewares[${index}].id`))
  if (auth === undefined) return gates.length === 0 ? undefined : (head) => admitted(gates, head)
  const authenticator = serverAuthenticator(ctx, auth.authenticator, `${below}auth.authenticator`)
  const parameters = auth.request_params && new Map(auth.request_params.map((name) => [name.toLowerCase(), name]))
  return (head) => {
    const verdict = authenticator.authenticate(parameters ? new HeadWithParameters(head, parameters) : head)
    if (verdict instanceof Promise) return verdict.then((refusal) => refusal ?? admitted(gates, head))
    return verdict ?? admitted(gates, head)
  }
}

function admitted(gates: readonly Gatekeeper[], head: RequestHead): CallStatus | undefined {
  for (const gate of gates) {
    const refusal = gate.admit(head)
    if (refusal !== undefined) return refusal
  }
  return undefined
}

/** A head whose query stands in for headers, for clients such as browsers' beacons that cannot set any. */
class HeadWithParameters implements RequestHead {
  readonly #head: RequestHead
  /** Names as the query spells them, by what they are as headers. */
  readonly #parameters: ReadonlyMap<string, string>

  constructor(head: RequestHead, parameters: ReadonlyMap<string, string>) {
    this.#head = head
    this.#parameters = parameters
  }

  get protocol(): RequestHead['protocol'] {
    return this.#head.protocol
  }

  get peer(): string {
    return this.#head.peer
  }

  get auth(): AuthAttributes | undefined {
    return this.#head.auth
  }

  set auth(attributes: AuthAttributes | undefined) {
    this.#head.auth = attributes
  }

  header(name: string): string | undefined {
    const parameter = this.#parameters.get(name)
    return (parameter === undefined ? undefined : this.#head.query(parameter)) ?? this.#head.header(name)
  }

  query(name: string): string | undefined {
    return this.#head.query(name)
  }

  metadata(): Record<string, readonly string[]> {
    return this.#head.metadata()
  }
}
