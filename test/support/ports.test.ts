import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { accepts, freePort } from './ports.ts'

test('a free port is given once, and is none that the system gives to others', async () => {
  const ports = await Promise.all(Array.from({ length: 500 }, () => freePort()))
  expect(new Set(ports).size).toBe(500)
  const system = createServer().listen(0, '127.0.0.1')
  await once(system, 'listening')
  expect(Math.max(...ports)).toBeLessThan((system.address() as AddressInfo).port)
  system.close()
  expect(await accepts(ports[0]!)).toBe(false)
  const one = createServer().listen(ports[0], '127.0.0.1')
  await once(one, 'listening')
  expect(await accepts(ports[0]!)).toBe(true)
  one.close()
})
