import { parentPort, workerData } from 'node:worker_threads'
import { SharedBoard } from '../../../src/memory/shared-board.ts'

// Adds 1 to two cells in turn while it holds the piece, over and over. Whoever sees them differ says so: a thread died in between.

const { memory, thread, turns } = workerData as { memory: SharedArrayBuffer; thread: number; turns: number }
const piece = new SharedBoard(memory, thread).piece('counter')
let torn = 0
// Nothing else keeps the thread alive while it waits.
const alive = setInterval(() => {}, 1000)
for (let i = 0; i < turns; i++) {
  await piece.hold()
  if (piece.cells[1] !== piece.cells[2]) torn++
  piece.cells[2] = piece.cells[1]!
  piece.cells[1]!++
  await Promise.resolve()
  piece.cells[2]!++
  piece.release()
  if (i === 0) parentPort!.postMessage('began')
}
clearInterval(alive)
parentPort!.postMessage({ torn })
