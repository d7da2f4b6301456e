import type { ComponentContext } from '../../src/component/contracts.ts'
import { type Gatekeeper, gatekeeper, serverAuthenticator } from '../../src/component/extension-roles.ts'
import type { AuthAttributes, CallHead, CallStatus, ServerHandler } from '../../src/transport/unary.ts'
import type { GrpcConfig, HttpConfig } from './fields.ts'

/**
 * Who is asked at a call's headers: the authenticator, then the gatekeepers in their order. Undefined where nobody is, so
 * that such calls pay nothing. Throws where an extension is missing or cannot do what it is named for.
 */
export function authoriserOf(
  config: GrpcConfig | HttpConfig,
  ctx: ComponentContext,
  protocol: 'grpc' | 'http',
): ServerHandler['authorise'] | undefined {
  const { auth, middlewares } = config
  const key = `protocols.${protocol}`
  const gates = middlewares.map(({ id }, index) => gatekeeper(ctx, id, `${key}.middlewares[${index}].id`))
  if (auth === undefined) return gates.length === 0 ? undefined : (head) => admitted(gates, head)
  const authenticator = serverAuthenticator(ctx, auth.authenticator, `${key}.auth.authenticator`)
  const parameters =
    'request_params' in auth ? new Map(auth.request_params.map((name) => [name.toLowerCase(), name])) : undefined
  return (head) => {
    const verdict = authenticator.authenticate(parameters ? new HeadWithParameters(head, parameters) : head)
    if (verdict instanceof Promise) return verdict.then((refusal) => refusal ?? admitted(gates, head))
    return verdict ?? admitted(gates, head)
  }
}

function admitted(gates: readonly Gatekeeper[], head: CallHead): CallStatus | undefined {
  for (const gate of gates) {
    const refusal = gate.admit(head)
    if (refusal !== undefined) return refusal
  }
  return undefined
}

/** A head whose query stands in for headers, for clients such as browsers' beacons that cannot set any. */
class HeadWithParameters implements CallHead {
  readonly #head: CallHead
  /** Names as the query spells them, by what they are as headers. */
  readonly #parameters: ReadonlyMap<string, string>

  constructor(head: CallHead, parameters: ReadonlyMap<string, string>) {
    this.#head = head
    this.#parameters = parameters
  }

  get protocol(): CallHead['protocol'] {
    return this.#head.protocol
  }

  get signal(): CallHead['signal'] {
    return this.#head.signal
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
