import { parentPort, workerData } from 'node:worker_threads'
import { FileExporter, type FileSettings } from '../../../../exporters/file/exporter.ts'
import { systemClock } from '../../../../src/clock.ts'
import { deliver } from '../../../../src/component/delivery.ts'
import { SharedBoard } from '../../../../src/memory/shared-board.ts'
import { makeBatch } from '../../../../src/otlp/batch.ts'
import { deadlineIn, testContext } from '../../../support/context.ts'

// A lane's instance of the exporter, which has a few batches on their way at any time. Counts what arrived in memory that outlives it.

const { settings, board, lane, records, arrived } = workerData as {
  settings: FileSettings
  board: SharedArrayBuffer
  lane: number
  records: number
  /** A cell a record: 1 once its delivery is settled as arrived. */
  arrived: SharedArrayBuffer
}
const shared = new SharedBoard(board, lane + 1)
const ctx = testContext({ id: 'file', signals: ['traces'], shared: (name) => shared.piece(name) })
// Full files carry the time.
const exporter = new FileExporter(settings, { ...ctx, clock: systemClock })
const cells = new Uint8Array(arrived)

/** A traces request of one resource with one schema URL of the given text. */
function request(text: string): Uint8Array {
  const url = new TextEncoder().encode(text)
  return new Uint8Array([0x0a, url.length + 2, 0x1a, url.length, ...url])
}

function write(record: number): Promise<void> {
  const batch = makeBatch('traces', [request(`${lane}-${record}`)], 1, { arrivedAt: 0 })
  return new Promise((resolve, reject) => {
    exporter.consume(
      deliver(batch, {
        settled(outcome) {
          if (!outcome.ok) return reject(new Error(outcome.failure.message))
          cells[record] = 1
          resolve()
        },
      }),
    )
  })
}

const ON_THEIR_WAY = 5
const alive = setInterval(() => {}, 1000)
await exporter.start()
parentPort!.postMessage('started')
for (let record = 0; record < records; record += ON_THEIR_WAY)
  await Promise.all(Array.from({ length: Math.min(ON_THEIR_WAY, records - record) }, (_, i) => write(record + i)))
await exporter.stop(deadlineIn(ctx.clock, 1000))
clearInterval(alive)
