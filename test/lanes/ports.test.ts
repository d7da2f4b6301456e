// Real threads that share ports through `bind`. What this does not show: how load is spread (spreading.test.ts).
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import * as net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import { ConnectionShare } from '../../src/transport/connection-share.ts'
import type { ListenAddress } from '../../src/transport/listen-address.ts'
import type { BoundAddress } from '../../src/transport/port-sharing.ts'

const workers: Worker[] = []
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
})

interface Lane {
  readonly worker: Worker
  readonly addresses: readonly string[]
  readonly bound: readonly BoundAddress[]
}

async function lane(index: number, addresses: readonly ListenAddress[], others?: Lane): Promise<Lane> {
  const worker = new Worker(new URL('support/port-lane.ts', import.meta.url), {
    workerData: {
      lane: index,
      first: others === undefined,
      ports: others?.bound ?? [],
      connections: ConnectionShare.memory(),
      addresses,
    },
  })
  workers.push(worker)
  const [said] = (await once(worker, 'message')) as [Omit<Lane, 'worker'> & { readonly message?: string }]
  if (said.message !== undefined) throw Object.assign(new Error(said.message), said)
  return { worker, ...said }
}

/** Closes what the lane has bound; before, its event loop is busy for so long. */
async function close({ worker }: Lane, busyMs = 0): Promise<void> {
  worker.postMessage({ busyMs })
  await once(worker, 'message')
}

/** Which lane answers there; the error's code where none does. */
function answer(options: net.NetConnectOpts): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(options)
    let text = ''
    socket.on('data', (part) => {
      text += part.toString()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
    socket.on('close', () => resolve(text))
  })
}

async function answers(port: number, count: number): Promise<Set<string>> {
  const all = new Set<string>()
  for (let i = 0; i < count; i++) all.add(await answer({ port, host: '127.0.0.1' }))
  return all
}

const portOf = (address: string | undefined): number => Number(address?.split(':').at(-1))

describe.runIf(process.platform === 'linux')('a port', () => {
  test('that is free to choose is the same in all lanes, and the system spreads connections over them', async () => {
    const free = { host: '127.0.0.1', port: 0 }
    const first = await lane(0, [free, free])
    const second = await lane(1, [free, free], first)
    expect(second.addresses).toEqual(first.addresses)
    expect(new Set(first.addresses).size).toBe(2)
    // One lane alone would answer 40 times in a row with a chance of 2^-39.
    expect(await answers(portOf(first.addresses[0]), 40)).toEqual(new Set(['lane 0', 'lane 1']))
  })

  test('that is given is shared too, on both addresses of localhost', async () => {
    const probe = await lane(0, [{ host: 'localhost', port: 0 }])
    const port = portOf(probe.addresses[0])
    await close(probe)
    const first = await lane(0, [{ host: 'localhost', port }])
    const second = await lane(1, [{ host: 'localhost', port }], first)
    expect([first.addresses, second.addresses]).toEqual([[`127.0.0.1:${port}`], [`127.0.0.1:${port}`]])
    expect(await answers(port, 40)).toEqual(new Set(['lane 0', 'lane 1']))
  })

  test('that another program has is noticed by the first lane, even if that one would share it', async () => {
    const other = net.createServer()
    other.listen({ port: 0, host: '127.0.0.1', reusePort: true })
    await once(other, 'listening')
    const { port } = other.address() as net.AddressInfo
    await expect(lane(0, [{ host: '127.0.0.1', port }])).rejects.toMatchObject({
      code: 'LISTEN_ADDRESS_IN_USE',
      message: `test.endpoint: cannot listen on 127.0.0.1:${port}, another program has it; stop that program, or set another endpoint`,
    })
    other.close()
  })

  test('two servers of a lane do not share', async () => {
    const probe = await lane(0, [{ host: '127.0.0.1', port: 0 }])
    const port = portOf(probe.addresses[0])
    await close(probe)
    await expect(
      lane(0, [
        { host: '127.0.0.1', port },
        { host: undefined, port },
      ]),
    ).rejects.toMatchObject({
      code: 'LISTEN_ADDRESS_IN_USE',
    })
  })

  test('that one lane gives up: clients whom the system has connected to it already are served', async () => {
    const free = { host: '127.0.0.1', port: 0 }
    const first = await lane(0, [free])
    const port = portOf(first.addresses[0])
    const second = await lane(1, [free], first)
    const closed = close(second, 300)
    // All are connected long before the lane looks up from its work and closes.
    const heard = await Promise.all(Array.from({ length: 20 }, () => answer({ port, host: '127.0.0.1' })))
    await closed
    expect(new Set(heard)).toEqual(new Set(['lane 0', 'lane 1']))
    expect(await answers(port, 10)).toEqual(new Set(['lane 0']))
  })
})

test('at a Unix domain socket the first lane alone listens', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
  try {
    const path = join(folder, 'otlp.sock')
    const first = await lane(0, [{ path }])
    const second = await lane(1, [{ path }], first)
    expect([first.addresses, second.addresses]).toEqual([[`unix:${path}`], [`unix:${path}`]])
    expect(await answer({ path })).toBe('lane 0')
    await close(second)
    expect([existsSync(path), await answer({ path })]).toEqual([true, 'lane 0'])
    await close(first)
    expect(existsSync(path)).toBe(false)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
