// Where data goes several ways: one that has no room for now holds up all, one that stands still holds up nobody else.
import { expect, it } from 'vitest'
import { type Arriving, anyRefuses, type Refuses } from '../../src/component/back-pressure.ts'

const ARRIVING: Arriving = { signal: 'traces', bytes: 10, ahead: 0, aheadBytes: 0 }
const refuses =
  (message: string, stalled: boolean): Refuses =>
  () => ({ failure: { verdict: 'retry', reason: 'queue_full', message }, stalled, told: () => {} })
const open: Refuses = () => undefined

function asked(...ways: (Refuses | undefined)[]): string | undefined {
  return anyRefuses(ways.map((refusing) => ({ refusing })))?.(ARRIVING)?.failure.message
}

it('is unknown where none of them ever knows', () => {
  expect(anyRefuses([{}, { refusing: undefined }])).toBe(undefined)
})

it.each<[string, (Refuses | undefined)[], string | undefined]>([
  ['all have room', [open, open], undefined],
  ['one is full', [open, refuses('full', false)], 'full'],
  ['one is full, of another nobody knows', [undefined, refuses('full', false)], 'full'],
  ['one stands still', [refuses('down', true), open], undefined],
  ['one stands still, of another nobody knows', [refuses('down', true), undefined], undefined],
  ['one stands still and one is full', [refuses('down', true), refuses('full', false), open], 'full'],
  ['all stand still', [refuses('down', true), refuses('down too', true)], 'down'],
])('%s', (_, ways, message) => {
  expect(asked(...ways)).toBe(message)
})
