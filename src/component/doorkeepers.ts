import type { CallStatus, RequestHead } from '../transport/unary.ts'
import type { ComponentContext } from './contracts.ts'
import { gatekeeper, serverAuthenticator } from './extension-roles.ts'

/** The keys of a server that say who is asked at a request's headers. */
export interface DoorkeeperConfig {
  readonly auth?: { readonly authenticator: string } | undefined
  readonly middlewares: readonly { readonly id: string }[]
}

/**
 * Asks the authenticator, then the gatekeepers in their order: a status turns the request away. Undefined where nobody is to be
 * asked. For `start`: extensions run by then. `below` stands before the keys in errors (`http.`). Throws EXTENSION_MISSING
 * or EXTENSION_ROLE.
 */
export function doorkeepers(
  { auth, middlewares }: DoorkeeperConfig,
  ctx: ComponentContext,
  below: string,
): ((head: RequestHead) => Promise<CallStatus | undefined>) | undefined {
  const gates = middlewares.map(({ id }, index) => gatekeeper(ctx, id, `${below}middlewares[${index}].id`))
  const authenticator = auth && serverAuthenticator(ctx, auth.authenticator, `${below}auth.authenticator`)
  if (authenticator === undefined && gates.length === 0) return undefined
  return async (head) => {
    const refusal = await authenticator?.authenticate(head)
    if (refusal !== undefined) return refusal
    for (const gate of gates) {
      const status = gate.admit(head)
      if (status !== undefined) return status
    }
    return undefined
  }
}
