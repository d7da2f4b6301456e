import { expect, test } from 'vitest'
import { SharedPiece } from '../../src/memory/shared-board.ts'
import { Spokesman } from '../../src/telemetry/spokesman.ts'

test('one lane speaks for all, as often as it likes, until it is silent for a minute', () => {
  const piece = SharedPiece.alone()
  const [one, other] = [new Spokesman(piece, 0), new Spokesman(piece, 63)]
  const start = Date.UTC(2026, 0, 1)
  expect([one.speaks('down', start), other.speaks('down', start), one.speaks('down', start)]).toEqual([
    true,
    false,
    true,
  ])
  expect(one.speaks('down', start + 50_000)).toBe(true)
  expect(other.speaks('down', start + 109_000)).toBe(false)
  expect(other.speaks('down', start + 110_000)).toBe(true)
  expect(one.speaks('down', start + 111_000)).toBe(false)
})

test('each subject has its own speaker', () => {
  const piece = SharedPiece.alone()
  const [one, other] = [new Spokesman(piece, 0), new Spokesman(piece, 1)]
  expect(one.speaks('does not speak TLS', 0)).toBe(true)
  expect(other.speaks('speaks HTTP/1.1', 0)).toBe(true)
  expect(one.speaks('speaks HTTP/1.1', 0)).toBe(false)
})
