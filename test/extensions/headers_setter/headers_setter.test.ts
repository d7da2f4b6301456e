import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import definition from '../../../extensions/headers_setter/headers_setter.ts'
import type { Component } from '../../../src/component/contracts.ts'
import type { ClientAuthenticator } from '../../../src/component/extension-roles.ts'
import type { BatchContext } from '../../../src/otlp/batch.ts'
import { deadlineIn, testContext } from '../../support/context.ts'
import { checked, configured } from '../../transport/support/configured.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function run(config: object, extensions: Record<string, Component> = {}) {
  const ctx = testContext({ kind: 'extension', id: 'headers_setter', extensions })
  const extension = (await definition.create(configured(definition, config), ctx)) as Component & ClientAuthenticator
  await extension.start?.()
  cleanups.push(() => extension.stop?.(deadlineIn(ctx.clock, 0)))
  return { extension, ctx }
}

const CONTEXT: BatchContext = {
  arrivedAt: 0,
  metadata: { tenant: ['a'], two: ['x', 'y'], none: [] },
  auth: { username: 'me', groups: ['g'] },
}

test.each<[object, Record<string, string>, Record<string, string | undefined>]>([
  [{ action: 'insert', key: 'A', value: '1' }, {}, { a: '1' }],
  [{ action: 'insert', key: 'A', value: '1' }, { a: '0' }, {}],
  [{ action: 'update', key: 'A', value: '1' }, {}, {}],
  [{ action: 'update', key: 'A', value: '1' }, { a: '0' }, { a: '1' }],
  [{ action: 'upsert', key: 'A', value: '1' }, {}, { a: '1' }],
  [{ key: 'A', value: '1' }, { a: '0' }, { a: '1' }],
  [{ action: 'delete', key: 'A' }, { a: '0' }, { a: undefined }],
  [{ key: 'A', from_context: 'Tenant' }, {}, { a: 'a' }],
  [{ key: 'A', from_context: 'none' }, { a: '0' }, {}],
  [{ key: 'A', from_context: 'missing', default_value: 'd' }, {}, { a: 'd' }],
  [{ key: 'A', from_context: 'tenant', default_value: 'd' }, {}, { a: 'a' }],
  [{ key: 'A', from_attribute: 'username' }, {}, { a: 'me' }],
  [{ key: 'A', from_attribute: 'groups' }, {}, { a: 'g' }],
  [{ key: 'A', from_attribute: 'missing', default_value: 'd' }, {}, { a: 'd' }],
])('%j on %j changes %j', async (header, sent, changes) => {
  const { extension } = await run({ headers: [header] })
  expect(await extension.headers(CONTEXT, sent)).toEqual(changes)
})

test('one rule sees what those before it did', async () => {
  const { extension } = await run({
    headers: [
      { action: 'delete', key: 'a' },
      { action: 'insert', key: 'a', value: '1' },
      { action: 'update', key: 'a', value: '2' },
      { action: 'update', key: 'b', value: '3' },
    ],
  })
  expect(await extension.headers(undefined, { a: '0' })).toEqual({ a: '2' })
})

test('which of several values is meant is not known', async () => {
  const { extension } = await run({ headers: [{ key: 'A', from_context: 'two' }] })
  await expect(extension.headers(CONTEXT, {})).rejects.toThrow(
    'the client sent "two" 2 times, and which one to use is not known',
  )
})

test('additional_auth is asked before', async () => {
  const auth = { headers: () => ({ authorization: 'Bearer t', extra: 'e' }), requiresTls: true, stop: () => {} }
  const { extension } = await run(
    {
      headers: [
        { action: 'delete', key: 'extra' },
        { key: 'A', value: '1' },
      ],
      additional_auth: 'auth',
    },
    { auth },
  )
  expect(await extension.headers(CONTEXT, {})).toEqual({ authorization: 'Bearer t', extra: undefined, a: '1' })
  expect(extension.requiresTls).toBe(true)
})

test('a file has the value, and is read again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-header-'))
  cleanups.push(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'value')
  writeFileSync(file, 'one\n')
  const { extension, ctx } = await run({ headers: [{ key: 'A', value_file: file }] })
  expect(await extension.headers(CONTEXT, {})).toEqual({ a: 'one' })
  writeFileSync(file, 'two\n')
  await ctx.clock.advance(1000)
  await expect.poll(() => extension.headers(CONTEXT, {})).toEqual({ a: 'two' })
})

describe('the configuration', () => {
  test.each<[object, string]>([
    [{ headers: [] }, 'headers: missing headers configuration; list at least one'],
    [
      { headers: [{ key: 'A' }] },
      "headers.0.key: missing header source, must be 'from_context', 'from_attribute', 'value_file' or 'value'",
    ],
    [
      { headers: [{ key: 'A', value: 'x', from_context: 'y' }] },
      "headers.0.from_context: invalid header source, must be one of 'from_context', 'from_attribute', 'value_file' and 'value'; got value and from_context",
    ],
    [
      { headers: [{ key: 'A', value: 'x', action: 'delete' }] },
      'headers.0.value: deleting needs no value; leave it out',
    ],
    [
      { headers: [{ key: 'A', value: 'x', default_value: 'y' }] },
      'headers.0.default_value: only what the client sends can be missing; use value',
    ],
    [{ headers: [{ key: 'Te', value: 'x' }] }, 'headers.0.key: the transport sets this header itself; leave it out'],
    [{ headers: [{ key: 'a b', value: 'x' }] }, 'headers.0.key: expected the name of a header: letters, digits and -'],
  ])('%j', (config, problem) => {
    expect(checked(definition, config).problems).toEqual([problem])
  })
})
