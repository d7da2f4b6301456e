import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import * as net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Binding, bind } from '../../src/transport/bind.ts'
import { type ListenAddress, parseListenAddress } from '../../src/transport/listen-address.ts'
import { runNode } from './support/run-node.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A server that says hello, bound to `address`. */
async function bound(address: ListenAddress): Promise<Binding> {
  const server = net.createServer((socket) => socket.on('error', () => {}).end('hello'))
  const binding = await bind(server, address, 'test.endpoint')
  cleanups.push(() => binding.close())
  return binding
}

/** What whoever listens there says; undefined where nobody does. */
function heard(options: net.NetConnectOpts): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect(options)
    let text = ''
    socket.on('data', (part) => {
      text += part.toString()
    })
    socket.on('error', () => resolve(undefined))
    socket.on('close', () => resolve(text))
  })
}

async function hasIPv6(): Promise<boolean> {
  const probe = net.createServer()
  probe.listen(0, '::1')
  return await once(probe, 'listening').then(
    () => {
      probe.close()
      return true
    },
    () => false,
  )
}

function parsed(endpoint: string, transport: Parameters<typeof parseListenAddress>[1]): ListenAddress {
  const address = parseListenAddress(endpoint, transport)
  if (typeof address === 'string') throw new Error(address)
  return address
}

const portOf = ({ address }: Binding): number => Number(address.split(':').at(-1))

describe('a port', () => {
  // Which of the two loopback addresses answers, where the machine has both.
  test.each([
    ['localhost:0', 'tcp', true, true],
    ['localhost:0', 'tcp4', true, false],
    ['localhost:0', 'tcp6', false, true],
    [':0', 'tcp', true, true],
    [':0', 'tcp4', true, false],
    [':0', 'tcp6', false, true],
    ['127.0.0.1:0', 'tcp', true, false],
    ['[::1]:0', 'tcp', false, true],
  ] as const)('%s as %s', async (endpoint, transport, four, six) => {
    const v6 = await hasIPv6()
    if (!v6 && (transport === 'tcp6' || endpoint.startsWith('['))) return
    const port = portOf(await bound(parsed(endpoint, transport)))
    expect(await heard({ port, host: '127.0.0.1' })).toBe(four ? 'hello' : undefined)
    if (v6) expect(await heard({ port, host: '::1' })).toBe(six ? 'hello' : undefined)
  })

  test('outlives what accepting a connection may come to, at each address that it is bound to', async () => {
    const port = portOf(await bound({ host: 'localhost', port: 0 }))
    const servers = (process as unknown as { _getActiveHandles(): unknown[] })
      ._getActiveHandles()
      .filter((handle) => handle instanceof net.Server)
      .filter((server) => (server.address() as net.AddressInfo | null)?.port === port)
    expect(servers).toHaveLength((await hasIPv6()) ? 2 : 1)
    // As Node says it when the process has no descriptors left.
    for (const server of servers) server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))
    expect(await heard({ port, host: '127.0.0.1' })).toBe('hello')
  })

  test('an address of the other version is refused when the configuration is read', () => {
    expect(parseListenAddress('[::1]:1', 'tcp4')).toBe(
      'expected an IPv4 address under `transport: tcp4`, got "::1"; `tcp` takes both',
    )
    expect(parseListenAddress('127.0.0.1:1', 'tcp6')).toContain('expected an IPv6 address')
  })

  test('a name that nobody knows is said to be none of this machine', async () => {
    await expect(bound({ host: 'no-such-host.invalid', port: 0, family: 4 })).rejects.toMatchObject({
      code: 'LISTEN_ADDRESS_UNKNOWN',
    })
  })
})

describe('a Unix domain socket', () => {
  let path = ''
  beforeEach(() => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
    cleanups.push(() => rmSync(folder, { recursive: true }))
    path = join(folder, 'otlp.sock')
  })

  test('is there while the server listens and gone afterwards', async () => {
    const binding = await bound({ path })
    expect([binding.address, await heard({ path }), existsSync(path)]).toEqual([`unix:${path}`, 'hello', true])
    await binding.close()
    expect(existsSync(path)).toBe(false)
  })

  test('that a killed process left behind is replaced', async () => {
    await runNode(
      `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`,
    )
    expect([existsSync(path), await heard({ path })]).toEqual([true, undefined])
    await bound({ path })
    expect(await heard({ path })).toBe('hello')
  })

  test('that somebody listens on is left to them', async () => {
    await bound({ path })
    await expect(bound({ path })).rejects.toMatchObject({
      code: 'LISTEN_ADDRESS_IN_USE',
      message: `test.endpoint: cannot listen on ${path}, another program has it; stop that program, or set another endpoint`,
    })
    expect(await heard({ path })).toBe('hello')
  })

  test('is not made where a file of another kind is', async () => {
    writeFileSync(path, 'precious')
    await expect(bound({ path })).rejects.toMatchObject({
      code: 'LISTEN_ADDRESS_IN_USE',
      message: `test.endpoint: cannot listen on ${path}, there is a file of another kind; remove it, or set another path`,
    })
    expect(existsSync(path)).toBe(true)
  })

  test('in a folder that is not there names the path', async () => {
    await expect(bound({ path: join(path, 'deeper.sock') })).rejects.toMatchObject({
      message: expect.stringContaining(path),
    })
  })

  test.runIf(process.platform === 'linux')('may be a name without a file', async () => {
    const name = `@sluice-test-${process.pid}`
    const { address } = await bound(parsed(name, 'unix'))
    expect([address, await heard({ path: `\0${name.slice(1)}` })]).toEqual([`unix:${name}`, 'hello'])
    await expect(bound(parsed(name, 'unix'))).rejects.toMatchObject({ code: 'LISTEN_ADDRESS_IN_USE' })
  })
})
