import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { SharedBoard, type SharedPiece } from '../../src/memory/shared-board.ts'
import { text32 } from '../../src/memory/text-hash.ts'

function thread(memory: SharedArrayBuffer, index: number, turns: number): Worker {
  return new Worker(new URL('./support/holding-thread.ts', import.meta.url), {
    workerData: { memory, thread: index, turns },
  })
}

describe('a piece', () => {
  test('is the same for whoever says its name, and another for another', () => {
    const memory = SharedBoard.memory()
    const [one, other] = [new SharedBoard(memory, 1), new SharedBoard(memory, 2)]
    one.piece('a').cells[3] = 7
    one.piece('b').doubles[2] = 2 ** 40 + 0.5
    expect(Array.from(other.piece('a').cells)).toEqual([0, 0, 0, 7, ...Array(12).fill(0)])
    expect(other.piece('b').doubles[2]).toBe(2 ** 40 + 0.5)
    expect(other.piece('c').cells.some((cell) => cell !== 0)).toBe(false)
  })

  test('there is one for each of 4096 names, and no more', () => {
    const board = new SharedBoard(SharedBoard.memory(), 0)
    for (let i = 0; i < 4096; i++) board.piece(`exporter file/${i}`).cells[1] = i
    for (let i = 0; i < 4096; i++) expect(board.piece(`exporter file/${i}`).cells[1]).toBe(i)
    expect(() => board.piece('one more')).toThrow('no room to share "one more": 4096 names are taken')
  })

  test('is held by one thread at a time, and whoever waits comes next', async () => {
    const memory = SharedBoard.memory()
    const [one, other] = [1, 2].map((index) => new SharedBoard(memory, index).piece('a')) as [SharedPiece, SharedPiece]
    await one.hold()
    expect([one.held, other.held, other.tryHold(), one.tryHold()]).toEqual([true, false, false, false])
    const waits = other.hold()
    one.release()
    await waits
    expect([one.held, other.held]).toEqual([false, true])
    one.release()
    expect(other.held).toBe(true)
  })

  test('is let go of by a thread that dies', async () => {
    const memory = SharedBoard.memory()
    const [one, other] = [1, 2].map((index) => new SharedBoard(memory, index).piece('a')) as [SharedPiece, SharedPiece]
    await one.hold()
    const waits = other.hold()
    new SharedBoard(memory, 0).forget(1)
    await waits
    expect(other.held).toBe(true)
  })
})

test('threads take turns, also when one of them dies at any moment', async () => {
  const memory = SharedBoard.memory()
  const board = new SharedBoard(memory, 0)
  const { cells } = board.piece('counter')
  const turns = 2000
  const living = [1, 2].map((index) => thread(memory, index, turns))
  const ends = living.map((each) => once(each, 'exit'))
  const said: { torn: number }[] = []
  for (const each of living) each.on('message', (message) => void (message !== 'began' && said.push(message)))
  for (let round = 0; round < 6; round++) {
    const dying = thread(memory, 3, 1e9)
    await once(dying, 'message')
    await setTimeout(round)
    await dying.terminate()
    board.forget(3)
  }
  await Promise.all(ends)
  expect(said).toHaveLength(2)
  // Each of those that died leaves at most one turn half done.
  expect(said[0]!.torn + said[1]!.torn).toBeLessThanOrEqual(6)
  expect(cells[1]).toBeGreaterThan(2 * turns)
  expect(cells[0]).toBe(0)
})

test('texts that differ have different hashes, by either seed', () => {
  const texts = Array.from({ length: 2000 }, (_, i) => `exporter file/${i}`)
  expect(new Set(texts.map((text) => text32(text, 1))).size).toBe(2000)
  expect(new Set(texts.map((text) => text32(text, 2))).size).toBe(2000)
  expect(text32('a', 1)).not.toBe(text32('a', 2))
})
