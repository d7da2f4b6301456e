/**
 * `npm run test:long -- lanes-chaos [seconds] [lanes]`: clients send through an engine whose lanes are killed in turn, one
 * every two seconds. Fails where something is missing that was acknowledged as delivered, or where the books do not close.
 */
import { availableParallelism } from 'node:os'
import { chaos } from '../lanes/support/chaos.ts'

const seconds = Number(process.argv[2] ?? 60)
const lanes = Number(process.argv[3] ?? Math.max(2, availableParallelism()))
const result = await chaos({
  seconds,
  killEveryMs: 2000,
  lanes,
  clients: 16,
  onKill: (lane, { acknowledged, failed, kills }) =>
    console.log(`kill ${kills}: lane ${lane}; ${acknowledged} acknowledged, ${failed} calls failed so far`),
})
console.log(JSON.stringify(result, undefined, 2))
const { missing, open, reservedBytes, kills, replaced, row, lostItems } = result
const wrong = [
  missing > 0 && `${missing} requests were acknowledged as delivered and did not arrive`,
  open !== 0 && `the books are open by ${open} items`,
  row.held !== 0 && `${row.held} items are held although nothing runs`,
  (row.failed.lane_lost ?? 0) !== lostItems && 'what lost lanes held is not what is booked as lost',
  reservedBytes !== 0 && `${reservedBytes} bytes of the budget stay booked`,
  replaced !== kills && `${kills} lanes were killed and ${replaced} replaced`,
].filter((text) => text !== false)
for (const text of wrong) console.error(text)
process.exit(wrong.length === 0 ? 0 : 1)
