import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashSync } from 'bcryptjs'
import { afterEach, describe, expect, test } from 'vitest'
import definition from '../../../extensions/basicauth/basicauth.ts'
import { parseHtpasswd } from '../../../extensions/basicauth/htpasswd.ts'
import { md5Crypt } from '../../../extensions/basicauth/md5-crypt.ts'
import { shaCrypt } from '../../../extensions/basicauth/sha-crypt.ts'
import type { Component } from '../../../src/component/contracts.ts'
import type { ClientAuthenticator, ServerAuthenticator } from '../../../src/component/extension-roles.ts'
import type { CallHead, CallStatus } from '../../../src/transport/unary.ts'
import { deadlineIn, type TestContext, testContext } from '../../support/context.ts'
import { checked, configured } from '../../transport/support/configured.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function run<R>(config: object): Promise<{ extension: Component & R; ctx: TestContext }> {
  const ctx = testContext({ kind: 'extension', id: 'basicauth' })
  const extension = (await definition.create(configured(definition, config), ctx)) as Component & R
  await extension.start?.()
  cleanups.push(async () => {
    await extension.stop?.(deadlineIn(ctx.clock, 0))
    expect(ctx.clock.timers).toBe(0)
  })
  return { extension, ctx }
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'sluice-basicauth-'))
  cleanups.push(() => rmSync(made, { recursive: true }))
  return made
}

function head(authorization?: string): CallHead {
  return {
    protocol: 'http',
    signal: 'traces',
    peer: '127.0.0.1:1',
    auth: undefined,
    header: (name) => (name === 'authorization' ? authorization : undefined),
    query: () => undefined,
    metadata: () => ({}),
  }
}

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

async function verdict(server: ServerAuthenticator, authorization?: string): Promise<CallStatus | undefined> {
  return await server.authenticate(head(authorization))
}

// Each of `secret`, made with `htpasswd` and `openssl passwd`; by hand where neither makes it.
const FORMS: Readonly<Record<string, string>> = {
  bcrypt: hashSync('secret', 4),
  'bcrypt as Apache writes it': hashSync('secret', 4).replace('$2b$', '$2y$'),
  apr1: '$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0',
  'crypt MD5': '$1$saltsalt$9xy1btjgzLYfb7hivXtC//',
  'crypt SHA-256': '$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA',
  'crypt SHA-512': '$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1',
  SHA: '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=',
  SSHA: '{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0',
  plain: 'secret',
}

describe('a server', () => {
  test.each(Object.entries(FORMS))('knows the right password from others: %s', async (_form, kept) => {
    const { extension } = await run<ServerAuthenticator>({ htpasswd: { inline: `other:x\nagent:${kept}\n` } })
    expect(await verdict(extension, basic('agent', 'secret'))).toBeUndefined()
    for (const [user, password] of [
      ['agent', 'Secret'],
      ['agent', ''],
      ['agent', kept],
      ['nobody', 'secret'],
      ['agent', 'secret'.repeat(2000)],
      ['other', 'secret'],
    ] as const) {
      if (kept === password) continue
      expect(await verdict(extension, basic(user, password))).toEqual({ code: 16, message: 'invalid credentials' })
    }
  })

  test.each<[string | undefined, string]>([
    [undefined, 'no basic auth provided'],
    ['', 'no basic auth provided'],
    ['Bearer x', 'invalid authorization scheme prefix; expected Basic'],
    ['Basic !!!', 'invalid authorization format; expected base64 of user:password'],
    [
      `Basic ${Buffer.from('agent').toString('base64')}`,
      'invalid authorization format; expected base64 of user:password',
    ],
  ])('refuses "%s": %s', async (authorization, message) => {
    const { extension } = await run<ServerAuthenticator>({ htpasswd: { inline: 'agent:secret' } })
    expect(await verdict(extension, authorization)).toEqual({ code: 16, message })
  })

  test('says who the client is', async () => {
    const { extension } = await run<ServerAuthenticator>({ htpasswd: { inline: 'agent:a:b' } })
    const call = head(basic('agent', 'a:b').replace('Basic', 'bAsIc'))
    expect(await extension.authenticate(call)).toBeUndefined()
    expect(call.auth).toEqual({ username: 'agent', raw: Buffer.from('agent:a:b').toString('base64') })
  })

  test('compares bcrypt once for many calls, a refused one again after 10 s', async () => {
    const { extension, ctx } = await run<ServerAuthenticator>({ htpasswd: { inline: `agent:${FORMS['bcrypt']}` } })
    const asked = (password: string) => extension.authenticate(head(basic('agent', password)))
    const first = asked('secret')
    expect(first).toBeInstanceOf(Promise)
    expect(await first).toBeUndefined()
    expect(asked('secret')).toBeUndefined()
    await asked('wrong')
    expect(asked('wrong')).toEqual({ code: 16, message: 'invalid credentials' })
    await ctx.clock.advance(10_000)
    expect(asked('wrong')).toBeInstanceOf(Promise)
    expect(asked('secret')).toBeUndefined()
  })

  test('turns away guesses beyond 64 that wait, to come again', async () => {
    const { extension } = await run<ServerAuthenticator>({ htpasswd: { inline: `agent:${FORMS['bcrypt']}` } })
    const guesses = Array.from({ length: 65 }, (_, i) => extension.authenticate(head(basic('agent', `guess${i}`))))
    expect(await guesses[64]).toMatchObject({ code: 14, retryAfterMs: 1000 })
    expect(
      (await Promise.all(guesses.slice(0, 64).map((each) => Promise.resolve(each)))).every((each) => each?.code === 16),
    ).toBe(true)
  })

  test('reads its file again; inline lines win; a file that is wrong leaves what was', async () => {
    const file = join(folder(), '.htpasswd')
    writeFileSync(file, 'agent:one\nroot:file\n')
    const { extension, ctx } = await run<ServerAuthenticator>({ htpasswd: { file, inline: 'root:inline' } })
    expect(await verdict(extension, basic('agent', 'one'))).toBeUndefined()
    expect(await verdict(extension, basic('root', 'inline'))).toBeUndefined()
    expect(await verdict(extension, basic('root', 'file'))).toBeDefined()
    writeFileSync(file, 'agent:two\n')
    await ctx.clock.advance(1000)
    await expect.poll(() => verdict(extension, basic('agent', 'two'))).toBeUndefined()
    expect(await verdict(extension, basic('agent', 'one'))).toBeDefined()
    await expect.poll(() => ctx.clock.timers).toBe(1)
    writeFileSync(file, 'agent:$7$salt$secrethash\n')
    await ctx.clock.advance(1000)
    await expect.poll(() => ctx.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
    expect(ctx.lines.at(-1)!.msg).toMatch(/cannot use ".*\.htpasswd": line 1: passwords of this form are not read/)
    expect(JSON.stringify(ctx.lines)).not.toContain('secrethash')
    expect(await verdict(extension, basic('agent', 'two'))).toBeUndefined()
    await expect.poll(() => ctx.clock.timers).toBe(1)
  })

  test('does not start without its file', async () => {
    const file = join(folder(), 'missing')
    await expect(run({ htpasswd: { file } })).rejects.toThrow(
      `htpasswd.file: cannot use "${file}": ENOENT; is the path right, and may this user read it?`,
    )
  })
})

describe('a client', () => {
  test('sends its name and password, in UTF-8', async () => {
    const { extension } = await run<ClientAuthenticator>({ client_auth: { username: 'ich', password: 'gehäim:x' } })
    expect(await extension.headers()).toEqual({ authorization: basic('ich', 'gehäim:x') })
    expect(extension.requiresTls).toBe(true)
  })

  test('takes both from files, again when they change', async () => {
    const [username, password] = [join(folder(), 'username'), join(folder(), 'password')]
    writeFileSync(username, 'me\n')
    writeFileSync(password, 'one\n')
    const { extension, ctx } = await run<ClientAuthenticator>({
      client_auth: { username_file: username, password_file: password, password: 'unused' },
    })
    expect(await extension.headers()).toEqual({ authorization: basic('me', 'one') })
    writeFileSync(password, 'two\n')
    await ctx.clock.advance(1000)
    await expect.poll(() => extension.headers()).toEqual({ authorization: basic('me', 'two') })
    await expect.poll(() => ctx.clock.timers).toBe(2)
  })
})

// `openssl passwd -apr1 -salt SALT PASSWORD`, and `-1`.
test.each([
  ['a much longer password than sixteen bytes', '$apr1$ab$ZgbyBttfAvWjwKDroS41O1'],
  ['p', '$1$x$hiN0EG1U2OVhvWQBid7j81'],
])('md5Crypt of "%s" is what openssl makes of it', (password, kept) => {
  expect(md5Crypt(password, kept)).toBe(kept)
})

// `openssl passwd -5 -salt SALT PASSWORD`, and `-6`.
test.each([
  ['secret', '$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA'],
  ['secret', '$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1'],
  [
    'a much longer password than thirty-two or even sixty-four bytes, which wraps around',
    '$5$sixteencharacter$hXZoPGRbBl3CrI3J9Kx49zd7Bu1YSBv5D.xfjG.QXS8',
  ],
  [
    'a much longer password than thirty-two or even sixty-four bytes, which wraps around',
    '$6$x$7sgNxHpCCrcEROu5e2yRwbUCeWvJ1YPSzMAPNyBk4ofU/w0P4LRyo2XsJUDUAbhxmA36GgPBxKfQpx/eqJ4Hj/',
  ],
  ['p', '$6$rounds=1200$abc$.987qRYckuJI/rMzevgnpKnARAtFzHzktDgu0buVi4tJiKyqWsB4XRwPVo2ZNjM60U2LSEKHclc3Cp5q14afy0'],
  ['p', '$5$rounds=1200$abc$g7avvoKIpyCeQPxxkGdZIomV.ld6DjGINsE.auTaWf0'],
])('shaCrypt of "%s" is what openssl makes of it', (password, kept) => {
  expect(shaCrypt(password, kept)).toBe(kept)
})

test('a line that is wrong is named by its number and never shown', () => {
  const { users, problems } = parseHtpasswd(
    '# comment\n\nsecretuser\n:secretuser\na:$7$x$secret\nb:{SHA}AA==\nd:$6$rounds=20001$x$hash\nc:plain\r\n',
  )
  expect(problems).toEqual([
    'line 3: expected `user:password`',
    'line 4: expected `user:password`',
    'line 5: passwords of this form are not read; make the line again with `htpasswd -B`, which is also the safest',
    'line 6: a SHA-1 of fewer than 20 bytes',
    'line 7: more than 20000 rounds, which take too long; use bcrypt',
  ])
  expect([...users.keys()]).toEqual(['c'])
})

test.each<[object, string]>([
  [{}, 'htpasswd: no credential source provided; set htpasswd.file or htpasswd.inline, or client_auth.username'],
  [
    { client_auth: { password: 'x' } },
    'client_auth.username: no credential source provided; set htpasswd.file or htpasswd.inline, or client_auth.username',
  ],
  [
    { htpasswd: { inline: 'a:b' }, client_auth: { username: 'a' } },
    'client_auth: only one of `htpasswd` and `client_auth` can be specified; make two extensions, basicauth/in and basicauth/out',
  ],
  [
    { client_auth: { username: 'a:b' } },
    'client_auth.username: expected a name without ":", which ends it on the wire',
  ],
  [{ htpasswd: { inline: 'secret' } }, 'htpasswd.inline: line 1: expected `user:password`'],
])('the configuration %j', (config, problem) => {
  expect(checked(definition, config).problems).toEqual([problem])
})
