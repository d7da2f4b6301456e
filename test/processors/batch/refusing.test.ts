// Before it has read a batch the processor says what it would do with it: take it while it has room of its own, else what is behind says.
import { expect, it } from 'vitest'
import type { Arriving, Refuses } from '../../../src/component/back-pressure.ts'
import { nack } from '../../../src/component/delivery.ts'
import { rig } from './support.ts'

const FULL = { verdict: 'retry', reason: 'queue_full', message: 'full' } as const

// An opaque batch has 6 bytes.
function arriving(aheadBytes = 0): Arriving {
  return { signal: 'traces', bytes: 6, ahead: 0, aheadBytes }
}

function before(...parts: Parameters<typeof rig>) {
  const made = rig(...parts)
  let told = 0
  let full: { readonly stalled: boolean } | undefined
  const refusing: Refuses = () => full && { failure: FULL, stalled: full.stalled, told: () => void told++ }
  Object.assign(made.next, { refusing })
  return {
    ...made,
    fills: (stalled = false) => {
      full = { stalled }
    },
    told: () => told,
    says: (aheadBytes?: number) => made.processor.refusing(arriving(aheadBytes)),
  }
}

it('takes as much as it holds at most while what is behind is full, those on their way included', () => {
  const { says, fills, consume, told } = before('admitted', { triggerItems: 10 })
  expect(says()).toBe(undefined)
  consume(6)
  fills()
  // An item takes a byte: with 3 bytes on their way it will hold 9, with 4 of them 10.
  expect([says(3), says(4)?.failure]).toEqual([
    undefined,
    {
      verdict: 'retry',
      reason: 'queue_full',
      message: 'processor batch: what is behind has no room and 6 items are held',
    },
  ])
  says(4)!.told()
  expect(told()).toBe(1)
})

it('says the same while it keeps what found no room, whatever is known of what is behind', () => {
  const { says, consume, next } = rigWithKept()
  expect(says()).toBe(undefined)
  consume(10)
  expect(next.deliveries.length).toBe(1)
  expect(says()?.failure.reason).toBe('queue_full')
  const refused = consume(1)
  expect(refused.outcome).toEqual({ ok: false, failure: says()!.failure })
})

function rigWithKept() {
  const made = before('admitted', { triggerItems: 10 })
  made.consume(10)
  nack(made.next.last, FULL)
  return made
}

it('hands on that what is behind stands still', () => {
  const { says, consume, fills } = rigWithKept()
  consume(10)
  expect(says()?.stalled).toBe(false)
  fills(true)
  expect(says()?.stalled).toBe(true)
})

it('leaves it to what is behind where it answers for nothing itself, or lets everything through', () => {
  for (const made of [
    before('delivered'),
    before('admitted', { timeoutMs: 0 }),
    before('admitted', { triggerItems: 0 }),
  ]) {
    expect(made.says()).toBe(undefined)
    made.fills()
    expect(made.says()?.failure).toBe(FULL)
  }
})

it('does not know where the metadata of a batch says with whom it is joined', () => {
  const { says, fills } = before('admitted', { triggerItems: 1, metadataKeys: ['tenant'] })
  fills()
  expect(says(100)).toBe(undefined)
})
