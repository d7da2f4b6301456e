import { expect, test } from 'vitest'
import { collectAll, readFromSocket, refusedUnread } from '../src/garbage.ts'

/** What ArrayBuffers hold, dead ones included. */
function arrayBuffers(): number {
  return process.memoryUsage().arrayBuffers
}

function read(buffers: number): void {
  for (let i = 0; i < buffers; i++) readFromSocket(Buffer.allocUnsafeSlow(65_536).fill(1).length)
}

test('what sockets read is freed every 8 MiB, before V8 collects everything for it', () => {
  collectAll()
  const before = arrayBuffers()
  let most = 0
  for (let i = 0; i < 48; i++) {
    read(16)
    most = Math.max(most, arrayBuffers() - before)
  }
  // 48 MiB were read; 32 would be too many for V8 alone, which lets 32 to 64 come together.
  expect(most).toBeGreaterThanOrEqual(1 << 20)
  expect(most).toBeLessThanOrEqual(16 << 20)
})

test('what refused calls leave behind is collected every 4096, also what has outlived scavenges', () => {
  collectAll()
  const kept: unknown[] = []
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < 4095; i++) {
    kept.push(Array.from({ length: 1000 }, () => i))
    // 32 MiB, in the old generation once scavenges have passed.
    refusedUnread(16_384)
  }
  kept.length = 0
  expect(process.memoryUsage().heapUsed - before).toBeGreaterThan(16 << 20)
  refusedUnread(16_384)
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(8 << 20)
})
