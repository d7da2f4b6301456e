import { afterEach, beforeEach, expect, test } from 'vitest'
import { ack, type Delivery } from '../../src/component/delivery.ts'
import { guarded } from '../../src/graph/edges.ts'
import { arenas } from '../../src/otlp/arena.ts'
import { makeBatch } from '../../src/otlp/batch.ts'
import { opaqueBatch, track } from '../support/deliveries.ts'

/** The consumer throws `boom` after `first`; what its defects came to. */
function rig(first: (delivery: Delivery) => void) {
  const said: string[] = []
  const consumer = guarded(
    'processor x',
    {
      acknowledges: 'delivered',
      consume(delivery) {
        first(delivery)
        throw new Error('boom')
      },
    },
    {
      threw: (error, items) => void said.push(`${(error as Error).message} ${items}`),
      settledLate: (items) => void said.push(`late ${items}`),
    },
  )
  return { consumer, said }
}

beforeEach(() => {
  arenas.poison = true
})
afterEach(() => {
  arenas.poison = false
})

test('what a component throws on is refused for good, and the sender hears which component', () => {
  const { consumer, said } = rig(() => {})
  const { delivery, events, outcome } = ((tracked) => {
    consumer.consume(tracked.delivery)
    return tracked
  })(track(opaqueBatch(3)))
  expect(events).toEqual(['reject:component_error'])
  expect(outcome).toMatchObject({ failure: { message: 'processor x: boom' } })
  expect([said, delivery.batch.items]).toEqual([['boom 3'], 3])
})

test('what it had settled before it threw stays settled so', () => {
  const { consumer, said } = rig(ack)
  const tracked = track(opaqueBatch(3))
  consumer.consume(tracked.delivery)
  expect([tracked.events, said]).toEqual([['ok'], ['boom 0']])
})

test('what it had kept may be settled late, once more, and its bytes stay as they were', () => {
  const kept: Delivery[] = []
  const { consumer, said } = rig((delivery) => void kept.push(delivery))
  const bytes = arenas.take(5000)
  bytes.fill(7)
  const tracked = track(makeBatch('traces', [bytes], 3, { arrivedAt: 0 }))
  consumer.consume(tracked.delivery)
  // The receiver lets its bytes go once it has answered.
  arenas.release(bytes)
  expect(kept[0]!.batch.chunks[0]!.every((byte) => byte === 7)).toBe(true)
  ack(kept[0]!)
  expect(tracked.events).toEqual(['reject:component_error'])
  // The books take the component's error back: whoever it was handed on to has booked the items.
  expect(said).toEqual(['boom 3', 'late 3'])
  // Twice by the component's own hand is a defect that shows.
  expect(() => ack(kept[0]!)).toThrow('settled twice')
})
