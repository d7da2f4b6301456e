import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import definition from '../../../extensions/bearertokenauth/bearertokenauth.ts'
import type { Component } from '../../../src/component/contracts.ts'
import type { ClientAuthenticator, ServerAuthenticator } from '../../../src/component/extension-roles.ts'
import type { CallHead } from '../../../src/transport/unary.ts'
import { deadlineIn, type TestContext, testContext } from '../../support/context.ts'
import { checked, configured } from '../../transport/support/configured.ts'

type Both = Component & ClientAuthenticator & ServerAuthenticator

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function run(config: object): Promise<{ extension: Both; ctx: TestContext }> {
  const ctx = testContext({ kind: 'extension', id: 'bearertokenauth' })
  const extension = (await definition.create(configured(definition, config), ctx)) as Both
  await extension.start?.()
  cleanups.push(async () => {
    await extension.stop?.(deadlineIn(ctx.clock, 0))
    expect(ctx.clock.timers).toBe(0)
  })
  return { extension, ctx }
}

function head(headers: Record<string, string>): CallHead {
  return {
    protocol: 'grpc',
    signal: 'logs',
    peer: '127.0.0.1:1',
    auth: undefined,
    header: (name) => headers[name],
    query: () => undefined,
    metadata: () => ({}),
  }
}

test.each<[object, Record<string, string>]>([
  [{ token: 'a' }, { authorization: 'Bearer a' }],
  [{ tokens: ['a', 'b'] }, { authorization: 'Bearer a' }],
  [{ token: 'a', scheme: 'Token' }, { authorization: 'Token a' }],
  [{ token: 'a', scheme: '' }, { authorization: 'a' }],
  [{ token: 'a', scheme: '', header: 'X-Api-Key' }, { 'x-api-key': 'a' }],
])('%j sends %j', async (config, headers) => {
  const { extension } = await run(config)
  expect(await extension.headers()).toEqual(headers)
  expect(await extension.authenticate(head(headers))).toBeUndefined()
})

test('a client shows any of the tokens, with the scheme in front', async () => {
  const { extension } = await run({ tokens: ['one', 'two'] })
  for (const token of ['one', 'two']) {
    expect(await extension.authenticate(head({ authorization: `Bearer ${token}` }))).toBeUndefined()
  }
  for (const shown of ['Bearer three', 'one', 'bearer one', 'Bearer one ', 'Bearer']) {
    expect(await extension.authenticate(head({ authorization: shown }))).toEqual({
      code: 16,
      message: 'scheme or token does not match',
    })
  }
  expect(await extension.authenticate(head({}))).toEqual({
    code: 16,
    message: 'missing or empty authorization header: authorization',
  })
})

test('a file has a token a line and is read again; what was read stays while it is empty', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-token-'))
  cleanups.push(() => rmSync(folder, { recursive: true }))
  const filename = join(folder, 'token')
  writeFileSync(filename, 'one\n  two  \n\n')
  const { extension, ctx } = await run({ filename, token: 'unused' })
  expect(ctx.lines.map(({ msg }) => msg)).toEqual(['filename is set: token and tokens are not used'])
  expect(await extension.headers()).toEqual({ authorization: 'Bearer one' })
  expect(await extension.authenticate(head({ authorization: 'Bearer two' }))).toBeUndefined()
  writeFileSync(filename, 'three')
  await ctx.clock.advance(1000)
  await expect.poll(() => extension.headers()).toEqual({ authorization: 'Bearer three' })
  await expect.poll(() => ctx.clock.timers).toBe(1)
  for (const _ of [1, 2]) {
    writeFileSync(filename, '\n')
    await ctx.clock.advance(1000)
    await expect.poll(() => ctx.clock.timers).toBe(1)
  }
  expect(await extension.headers()).toEqual({ authorization: 'Bearer three' })
  expect(
    ctx.lines
      .filter(({ level }) => level === 'warn')
      .map(({ msg }) => msg)
      .slice(1),
  ).toEqual([`filename: cannot use "${filename}": there is no token in it; what was read before stays in use`])
})

test.each<[object, string]>([
  [{}, 'token: no bearer token provided; set token, tokens or filename'],
  [{ token: 'a', tokens: ['b'] }, 'tokens: either tokens or token should be provided, not both; put all into tokens'],
  [{ token: 'a', header: 'X Key' }, 'header: expected the name of a header: letters, digits and -'],
])('the configuration %j', (config, problem) => {
  expect(checked(definition, config).problems).toEqual([problem])
})
