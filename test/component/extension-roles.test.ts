import { expect, test } from 'vitest'
import { clientAuthenticator, gatekeeper, serverAuthenticator } from '../../src/component/extension-roles.ts'
import { testContext } from '../support/context.ts'

const asks = { stop() {}, authenticate: () => undefined }
const gives = { stop() {}, headers: () => ({ authorization: 'Bearer x' }) }
const guards = { stop() {}, admit: () => undefined }

const ctx = testContext({ kind: 'receiver', id: 'otlp/a', extensions: { asks, gives, guards } })

test('an extension plays the roles whose methods it has', () => {
  expect(serverAuthenticator(ctx, 'asks', 'auth')).toBe(asks)
  expect(clientAuthenticator(ctx, 'gives', 'auth')).toBe(gives)
  expect(gatekeeper(ctx, 'guards', 'middlewares[0].id')).toBe(guards)
})

test('a missing one is named with the key that asks for it', () => {
  expect(() => serverAuthenticator(ctx, 'basicauth', 'protocols.grpc.auth.authenticator')).toThrow(
    expect.objectContaining({
      code: 'EXTENSION_MISSING',
      message:
        'receiver otlp/a: protocols.grpc.auth.authenticator: no extension "basicauth" runs; add it to service.extensions',
    }),
  )
})

test('one without the role is refused with what would do', () => {
  const refusals = [
    () => serverAuthenticator(ctx, 'gives', 'a'),
    () => clientAuthenticator(ctx, 'guards', 'a'),
    () => gatekeeper(ctx, 'asks', 'a'),
  ]
  for (const refusal of refusals) expect(refusal).toThrow(expect.objectContaining({ code: 'EXTENSION_ROLE' }))
  expect(refusals[2]).toThrow('receiver otlp/a: a: the extension "asks" turns no requests away')
})
