import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { lines, load, SMALLEST } from './support/components.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-sources-'))
afterAll(() => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'a.yaml'), SMALLEST)

async function withServer(listener: RequestListener, use: (url: string) => Promise<void>): Promise<void> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

test.each(['a.yaml', 'file:a.yaml', join(folder, 'a.yaml'), 'env:CONFIG', `yaml:${SMALLEST}`])(
  '%j is a source',
  async (source) => {
    const loaded = await load({ config: [source], cwd: folder, env: { CONFIG: SMALLEST } })
    expect(lines(loaded)).toStrictEqual([])
  },
)

test('a byte order mark is no part of a file', async () => {
  writeFileSync(join(folder, 'bom.yaml'), `\uFEFF${SMALLEST}`)
  expect(lines(await load({ config: ['bom.yaml'], cwd: folder }))).toStrictEqual([])
})

test('a source can come over HTTP', async () => {
  await withServer(
    (_, response) => response.end(SMALLEST),
    async (url) => {
      expect(lines(await load({ config: [`${url}/config.yaml`] }))).toStrictEqual([])
    },
  )
})

test('an answer that is no success, or too large, is refused', async () => {
  let authorization: string | undefined
  await withServer(
    (request, response) => {
      authorization = request.headers.authorization
      if (request.url === '/large') response.end(Buffer.alloc(5 * 1024 * 1024, '#'))
      else response.writeHead(404).end()
    },
    async (url) => {
      const loaded = await load({ config: [`${url}/large`, `${url.replace('//', '//user:hunter2@')}/none`] })
      expect(lines(loaded)).toStrictEqual([
        `${url}/large:1:1  is larger than 4 MiB, which no configuration needs  (CONFIG_READ)`,
        `${url}/none:1:1  cannot be read: the server answers 404  (CONFIG_READ)`,
      ])
      expect(authorization).toBe(`Basic ${Buffer.from('user:hunter2').toString('base64')}`)
    },
  )
})

test('nobody there', async () => {
  const loaded = await load({ config: ['http://127.0.0.1:1/x'] })
  expect(lines(loaded)).toStrictEqual([
    expect.stringMatching(/^http:\/\/127\.0\.0\.1:1\/x:1:1 {2}cannot be read: .+ {2}\(CONFIG_READ\)$/),
  ])
})

test('every source that cannot be read is named', async () => {
  const loaded = await load({
    config: ['missing.yaml', 'env:MISSING', 'vault:x', './a:b.yaml', '.', 'C:\\none.yaml'],
    set: ['novalue', '=x', 'a.b=[', 'a=1'],
    cwd: folder,
  })
  expect(lines(loaded)).toStrictEqual([
    'missing.yaml:1:1  cannot be read: no such file  (CONFIG_READ)',
    'env:MISSING:1:1  this environment variable is not set  (CONFIG_READ)',
    'vault:x:1:1  there is no scheme "vault"; there are file, env, yaml, http and https  (CONFIG_SCHEME)',
    './a:b.yaml:1:1  the part before the colon is no scheme; for a file write "file:" before it  (CONFIG_SCHEME)',
    '.:1:1  cannot be read: this is a folder  (CONFIG_READ)',
    'C:\\none.yaml:1:1  cannot be read: no such file  (CONFIG_READ)',
    '--set a.b:1:6  a.b: a "]" is missing  (CONFIG_SYNTAX)',
    '--set:1:1  expected key.sub=value, for example exporters.debug.verbosity=detailed  (CONFIG_SET)',
    '--set:1:1  expected key.sub=value, for example exporters.debug.verbosity=detailed  (CONFIG_SET)',
  ])
})

test('no source at all', async () => {
  expect(lines(await load({}))).toStrictEqual([
    '--config:1:1  no configuration was given; name a file, for example pipelines/quickstart.yaml  (CONFIG_EMPTY)',
  ])
})

test('problems come in the order of the sources, and from top to bottom in each', async () => {
  writeFileSync(join(folder, 'z.yaml'), 'exporters: {debug: {verbosity: loud}}\n')
  writeFileSync(join(folder, 'b.yaml'), 'processors: {bacth: }\nconnectors: {forwrad: }\n')
  const loaded = await load({ config: ['a.yaml', 'z.yaml', 'file:b.yaml'], cwd: folder })
  expect(lines(loaded).map((line) => line.split('  ')[0])).toStrictEqual(['z.yaml:1:32', 'b.yaml:1:14', 'b.yaml:2:14'])
})

test('a whole section can stand in another file, and its mistakes are placed there', async () => {
  writeFileSync(join(folder, 'exporters.yaml'), 'debug:\n  verbosity: loud\n')
  const reference = '$' + '{file:exporters.yaml}'
  const loaded = await load({ config: ['a.yaml', `yaml:exporters: ${reference}`], cwd: folder })
  expect(lines(loaded)).toStrictEqual([
    'exporters.yaml:2:14  exporters.debug.verbosity: expected one of basic, normal, detailed, got "loud"  (CONFIG_VALUE)',
  ])
})
