import { field } from '../config/field.ts'
import type { Sign } from '../transport/sign.ts'
import type { ComponentContext } from './contracts.ts'
import { type ClientAuthenticator, clientAuthenticator } from './extension-roles.ts'

/** `auth` and `middlewares` of an exporter that sends requests, as the Collector's clients have them. */
export const signerFields = {
  auth: field.object('Lets an extension prove to the server who sends.', {
    authenticator: field.extension('The extension that is asked for headers with each request.', { required: true }),
  }),
  middlewares: field.list(
    'Extensions that are asked for headers too, in this order, after `auth`.',
    field.object(
      'One of them.',
      {
        id: field.extension('Id of an extension that gives headers to requests.', { required: true }),
      },
      { default: {} },
    ),
    { default: [] },
  ),
}

export interface SignerConfig {
  readonly auth?: { readonly authenticator: string } | undefined
  readonly middlewares: readonly { readonly id: string }[]
}

/**
 * What asks the extensions that an exporter names, in their order; undefined where it names none. For `start`. Throws where
 * an extension is missing, gives no headers, or gives secrets to a connection in `clearText` (gRPC's rule).
 */
export function requestSigner(config: SignerConfig, ctx: ComponentContext, clearText: boolean): Sign | undefined {
  const asked: ClientAuthenticator[] = []
  const add = (id: string, configuredBy: string): void => {
    const found = clientAuthenticator(ctx, id, configuredBy)
    if (clearText && found.requiresTls === true) {
      throw new Error(`${configuredBy}: "${id}" gives its secrets to encrypted connections only; take tls.insecure out`)
    }
    asked.push(found)
  }
  if (config.auth !== undefined) add(config.auth.authenticator, 'auth.authenticator')
  config.middlewares.forEach(({ id }, index) => {
    add(id, `middlewares[${index}].id`)
  })
  if (asked.length === 0) return undefined
  return async (sent, context) => {
    let headers = sent
    for (const each of asked) headers = merged(headers, await each.headers(context, headers))
    return headers
  }
}

function merged(
  sent: Readonly<Record<string, string>>,
  more: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const headers = { ...sent }
  for (const [name, value] of Object.entries(more)) {
    if (value === undefined) delete headers[name]
    else headers[name] = value
  }
  return headers
}
