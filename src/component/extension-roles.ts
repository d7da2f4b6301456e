import { SluiceError } from '../errors.ts'
import type { BatchContext } from '../otlp/batch.ts'
import type { CallStatus, RequestHead } from '../transport/unary.ts'
import type { Component, ComponentContext } from './contracts.ts'

// What an extension can do for other components. It has a role by having the role's method; nothing is declared.

/** Says who a client is: what a receiver's `auth.authenticator` names. */
export interface ServerAuthenticator {
  /**
   * Runs at a call's headers, before its body is read. A status refuses the call: UNAUTHENTICATED (HTTP 401) for whoever
   * cannot say who they are. What is known of the client goes to `head.auth`. A rejection refuses as UNAVAILABLE, so that
   * an identity provider that is down costs no data.
   */
  authenticate(head: RequestHead): CallStatus | undefined | Promise<CallStatus | undefined>
}

type RequestHeaders = Readonly<Record<string, string | undefined>>

/** Says who Sluice is: what an exporter's `auth.authenticator` names. */
export interface ClientAuthenticator {
  /**
   * Headers for one outgoing call, lower-case names. Asked for every call, so answered from memory; a promise is for the
   * first token and its renewal. `context` is that of the batch that is sent, for headers that follow from the client's;
   * `sent` are the headers as they are before: one that is given back as undefined is left out.
   */
  headers(context?: BatchContext, sent?: Readonly<Record<string, string>>): RequestHeaders | Promise<RequestHeaders>
  /** A gRPC exporter without TLS refuses to start with it, as grpc-go does. */
  readonly requiresTls?: boolean
}

/** Turns calls away that there is no room for: what a receiver's `middlewares` name. */
export interface Gatekeeper {
  /** Runs at a call's headers, after the authenticator and before its body is read. A status refuses the call. */
  admit(head: RequestHead): CallStatus | undefined
}

function isServerAuthenticator(component: object): component is ServerAuthenticator {
  return hasMethod(component, 'authenticate')
}

function isClientAuthenticator(component: object): component is ClientAuthenticator {
  return hasMethod(component, 'headers')
}

export function isGatekeeper(component: object): component is Gatekeeper {
  return hasMethod(component, 'admit')
}

/**
 * The running extension `id` in one of its roles. For `start`: extensions run by then. `configuredBy` is the key that names
 * it (`protocols.grpc.auth.authenticator`). Throws EXTENSION_MISSING or EXTENSION_ROLE.
 */
export function serverAuthenticator(ctx: ComponentContext, id: string, configuredBy: string): ServerAuthenticator {
  const role = 'cannot tell who a client is; name one that can, such as basicauth with an htpasswd section'
  return inRole(ctx, id, configuredBy, isServerAuthenticator, role)
}

/** As `serverAuthenticator`, for the other direction. */
export function clientAuthenticator(ctx: ComponentContext, id: string, configuredBy: string): ClientAuthenticator {
  const role = 'gives no credentials to requests; name one that does, such as bearertokenauth'
  return inRole(ctx, id, configuredBy, isClientAuthenticator, role)
}

/** As `serverAuthenticator`, for `middlewares`. */
export function gatekeeper(ctx: ComponentContext, id: string, configuredBy: string): Gatekeeper {
  const role = 'turns no requests away; name one that does, such as memory_limiter'
  return inRole(ctx, id, configuredBy, isGatekeeper, role)
}

function inRole<R>(
  ctx: ComponentContext,
  id: string,
  configuredBy: string,
  plays: (component: Component) => component is Component & R,
  otherwise: string,
): R {
  const extension = ctx.extension(id)
  const place = `${ctx.kind} ${ctx.id}: ${configuredBy}`
  if (extension === undefined) {
    throw new SluiceError('EXTENSION_MISSING', `${place}: no extension "${id}" runs; add it to service.extensions`)
  }
  if (plays(extension)) return extension
  throw new SluiceError('EXTENSION_ROLE', `${place}: the extension "${id}" ${otherwise}`)
}

function hasMethod(component: object, name: string): boolean {
  return typeof (component as Readonly<Record<string, unknown>>)[name] === 'function'
}
