// The byte budget by itself: what is booked, refused and given back. What this does not show: that servers book before they
// read (test/faults/half-sent.test.ts).
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arenas } from '../../src/otlp/arena.ts'
import { Admission, CONNECTION_BYTES, type Refusal } from '../../src/transport/admission.ts'
import { CALL_BYTES, Reservation } from '../../src/transport/reservation.ts'
import { GRPC } from '../../src/transport/unary.ts'

const KIB = 1024
const CONNECTION = CONNECTION_BYTES.http2
const CALL = CALL_BYTES / KIB

/** A budget that gives requests `kib`; a third as much on top is the connections'. */
function budget(kib: number): Admission {
  return new Admission(Admission.memory((kib * KIB * 4) / 3))
}

function begun(admission: Admission, grows = false): Reservation {
  const reservation = admission.begin(grows)
  if (!(reservation instanceof Reservation)) throw new Error(reservation.message)
  return reservation
}

describe('a request', () => {
  test('is booked all or nothing and refunded whole', () => {
    const admission = budget(300)
    const one = begun(admission)
    expect(one.take(100 * KIB)).toBeUndefined()
    expect(admission.reserved).toBe((CALL + 100) * KIB)
    const two = begun(admission)
    expect(two.take(200 * KIB)).toMatchObject({ reason: 'no_room', code: GRPC.UNAVAILABLE })
    expect(admission.reserved).toBe((2 * CALL + 100) * KIB)
    one.release()
    expect(two.take(200 * KIB)).toBeUndefined()
    expect(two.body).toHaveLength(200 * KIB)
    two.release()
    two.release()
    expect(admission.reserved).toBe(0)
    expect(admission.peak).toBe((CALL + 200) * KIB)
  })

  test('that could never fit is refused for good, and says what to do', () => {
    const refusal = begun(budget(300)).take((300 - CALL) * KIB + 1)
    expect(refusal).toMatchObject({ reason: 'over_budget', code: GRPC.RESOURCE_EXHAUSTED })
    expect(refusal!.retryAfterMs).toBeUndefined()
    expect(refusal!.message).toContain('raise service.admission')
  })

  test('is refused by its headers where not even those have room', () => {
    const admission = budget(CALL)
    const one = begun(admission)
    expect(admission.begin(false)).toMatchObject({ reason: 'no_room' })
    one.release()
    begun(admission).release()
    expect(admission.reserved).toBe(0)
  })

  test('keeps only what its decompressed body needs', () => {
    const admission = budget(300)
    const held = arenas.held
    const one = begun(admission, true)
    one.take(10 * KIB)
    one.grow(80 * KIB)
    expect(admission.reserved).toBe((CALL + 10 + 80) * KIB)
    one.replace(arenas.take(70 * KIB))
    expect(admission.reserved).toBe((CALL + 70) * KIB)
    one.release()
    expect([admission.reserved, arenas.held - held]).toEqual([0, 0])
  })
})

describe('clients that are refused', () => {
  test('are told to wait one to two seconds, each differently', () => {
    const admission = budget(CALL)
    begun(admission)
    const waits = Array.from({ length: 100 }, () => (admission.begin(false) as Refusal).retryAfterMs!)
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(1000)
    expect(Math.max(...waits)).toBeLessThanOrEqual(2000)
    // Spread evenly: every twentieth of the second has some.
    expect(new Set(waits.map((ms) => Math.floor((ms - 1000) / 50))).size).toBeGreaterThanOrEqual(20)
  })

  test('all are while a memory limiter says so', () => {
    const admission = budget(300)
    const before = begun(admission)
    admission.limiting(true)
    admission.limiting(true)
    admission.limiting(false)
    expect(admission.begin(false)).toMatchObject({
      reason: 'memory_limited',
      code: GRPC.UNAVAILABLE,
      message: 'data refused due to high memory usage',
    })
    // What has begun may go on.
    expect(before.take(10)).toBeUndefined()
    admission.limiting(false)
    begun(admission)
  })
})

describe('bodies of unknown length', () => {
  test('the oldest may always finish, one at a time', () => {
    const admission = budget(100)
    const oldest = begun(admission, true)
    const younger = begun(admission, true)
    expect(oldest.grow(40 * KIB)).toBeUndefined()
    expect(younger.grow(40 * KIB)).toBeUndefined()
    expect(younger.grow(40 * KIB)).toMatchObject({ reason: 'no_room' })
    expect(oldest.grow(40 * KIB)).toBeUndefined()
    expect(oldest.grow(1000 * KIB)).toBeUndefined()
    expect(admission.reserved).toBe((2 * CALL + 40 + 80 + 1000) * KIB)
    // Its data is whole, but its delivery is on its way: what is past the limit stays one request.
    oldest.end(0)
    expect(younger.grow(40 * KIB)).toMatchObject({ reason: 'no_room' })
    oldest.release()
    expect(younger.grow(40 * KIB)).toBeUndefined()
    expect(younger.grow(40 * KIB)).toBeUndefined()
    younger.release()
    expect(admission.reserved).toBe(0)
  })

  test('a body in small chunks has room that doubles, to the limit', () => {
    const admission = budget(10_000)
    const one = begun(admission, true)
    const sent = Uint8Array.from({ length: 50_000 }, (_, i) => i * 7)
    const rooms = new Set<number>()
    for (let at = 0; at < sent.length; at += 10) {
      expect(one.widen(at + 10, at, 50_000)).toBeUndefined()
      one.body.set(sent.subarray(at, at + 10), at)
      rooms.add(one.body.length)
    }
    one.end(sent.length)
    expect([...rooms]).toEqual([16_384, 32_768, 50_000])
    expect(Buffer.compare(one.body, sent)).toBe(0)
    expect(admission.reserved).toBe(Math.ceil((CALL_BYTES + 50_000) / KIB) * KIB)
    one.release()
  })
})

describe('connections', () => {
  test('have a quarter of the budget to themselves, and the last ones are turned away', () => {
    const admission = new Admission(Admission.memory(4 * 3 * CONNECTION))
    const full = begun(admission)
    full.take(admission.limit - CALL_BYTES)
    expect([1, 2, 3, 4].map(() => admission.openConnection('http2'))).toEqual([true, true, true, false])
    admission.closeConnection('http2')
    expect(admission.openConnection('http2')).toBe(true)
    for (let i = 0; i < 3; i++) admission.closeConnection('http2')
    expect(admission.connections).toBe(0)
  })

  test('widen while they have a quarter of their share at most, and hear of it when three are taken', () => {
    const admission = new Admission(Admission.memory(4 * 64 * CONNECTION))
    expect(admission.widen(17 * CONNECTION)).toBe(false)
    let wide = 0
    while (admission.widen(CONNECTION)) wide++
    expect(wide).toBe(64 / 4)
    let heard = 0
    const end = admission.onPressure(() => {
      heard++
      for (; wide > 0; wide--) admission.narrow(CONNECTION)
    })
    for (let i = 0; i < 64 / 2; i++) expect(admission.openConnection('http2')).toBe(true)
    expect([heard, wide]).toEqual([0, 16])
    // 16 wide, 32 open: the next one begins the last quarter. All wide ones go, and there is room for as many as ever.
    expect(admission.openConnection('http2')).toBe(true)
    expect([heard, wide]).toEqual([1, 0])
    for (let i = 33; i < 64; i++) expect(admission.openConnection('http2')).toBe(true)
    expect(admission.openConnection('http2')).toBe(false)
    // The last quarter again, and the one that has no room, come within the tenth of a second of the first.
    expect(heard).toBe(1)
    end()
  })
})

function thread(name: string, workerData: object): Worker {
  return new Worker(new URL(`./support/${name}.ts`, import.meta.url), { workerData })
}

describe('several threads', () => {
  test('never book more together than there is, and leave nothing', async () => {
    const memory = Admission.memory(1 << 20)
    const held = new SharedArrayBuffer(4)
    const admission = new Admission(memory)
    const said = await Promise.all(
      [1, 2, 3].map(
        (index) =>
          new Promise<{ refused: number; past: number }>((resolve, reject) => {
            const booking = thread('booking-thread', { memory, held, thread: index, seed: index, rounds: 100_000 })
            booking.once('message', resolve)
            booking.once('error', reject)
          }),
      ),
    )
    expect(said.map(({ past }) => past)).toEqual([0, 0, 0])
    // Else the limit was never met and nothing was shown.
    for (const { refused } of said) expect(refused).toBeGreaterThan(1000)
    expect(admission.peak).toBeLessThanOrEqual(admission.limit)
    expect(admission.peak).toBeGreaterThan(admission.limit * 0.9)
    expect(admission.reserved).toBe(0)
  })

  test('one that dies leaves what others have, whatever it was about to do', async () => {
    const memory = Admission.memory(1 << 20)
    const admission = new Admission(memory)
    const own = begun(admission)
    expect(own.grow(10 * KIB)).toBeUndefined()
    expect(admission.openConnection('http1')).toBe(true)
    let reserved = 0
    let connections = 0
    for (let round = 0; round < 8; round++) {
      const dying = [1, 2].map((index) => thread('dying-thread', { memory, thread: index, seed: 10 * round + index }))
      await Promise.all(dying.map((each) => once(each, 'message')))
      // Later in every round, and never at the same instruction.
      await setTimeout(round)
      await Promise.all(dying.map((each) => each.terminate()))
      reserved += admission.reserved - (CALL + 10) * KIB
      connections += admission.connections - CONNECTION_BYTES.http1
      for (const index of [1, 2]) admission.forget(index)
      expect([admission.reserved, admission.connections]).toEqual([(CALL + 10) * KIB, CONNECTION_BYTES.http1])
      expect(admission.limited).toBe(false)
    }
    // Else they died with nothing and nothing was shown.
    expect(reserved).toBeGreaterThan(0)
    expect(connections).toBeGreaterThan(0)
    own.release()
    admission.closeConnection('http1')
    expect([admission.reserved, admission.connections]).toEqual([0, 0])
  })

  test('the overdraft is one for all, and is free again when the thread that has it dies', () => {
    const memory = Admission.memory((100 * KIB * 4) / 3)
    const [one, other] = [new Admission(memory, 1), new Admission(memory, 2)]
    const oldest = begun(one, true)
    const second = begun(other, true)
    expect(oldest.grow(120 * KIB)).toBeUndefined()
    expect(second.grow(10 * KIB)).toMatchObject({ reason: 'no_room' })
    one.forget(1)
    expect(other.reserved).toBe(CALL * KIB)
    expect(second.grow(120 * KIB)).toBeUndefined()
    second.release()
    expect(other.reserved).toBe(0)
  })

  test('tell their clients to come back at different times', () => {
    const memory = Admission.memory(1 << 20)
    const threads = [1, 2, 3].map((index) => new Admission(memory, index))
    threads[0]!.limiting(true)
    const waits = threads.flatMap((each) =>
      Array.from({ length: 30 }, () => (each.begin(false) as Refusal).retryAfterMs),
    )
    expect(new Set(waits).size).toBeGreaterThan(80)
  })

  test('a limiter of one keeps requests out of all, until it dies', () => {
    const memory = Admission.memory(1 << 20)
    const [one, other] = [new Admission(memory, 1), new Admission(memory, 2)]
    one.limiting(true)
    expect(other.begin(false)).toMatchObject({ reason: 'memory_limited' })
    other.limiting(true)
    other.forget(1)
    expect(one.limited).toBe(true)
    other.limiting(false)
    expect(one.limited).toBe(false)
  })

  test('all hear of pressure, the one that meets it at once', async () => {
    const memory = Admission.memory((100 * KIB * 4) / 3)
    const [one, other] = [new Admission(memory, 1), new Admission(memory, 2)]
    const heard: string[] = []
    const ends = [one.onPressure(() => heard.push('one')), other.onPressure(() => heard.push('other'))]
    const [large, small] = [begun(one), begun(one)]
    expect(large.grow(80 * KIB)).toBeUndefined()
    expect(small.grow(20 * KIB)).toMatchObject({ reason: 'no_room' })
    expect(heard).toEqual(['one'])
    await expect.poll(() => heard).toEqual(['one', 'other'])
    for (const end of ends) end()
    for (const each of [large, small]) each.release()
  })
})

describe('any sequence of requests', () => {
  type Step = readonly [what: 'begin' | 'take' | 'widen' | 'replace' | 'end' | 'release', which: number, size: number]
  const step: fc.Arbitrary<Step> = fc.tuple(
    fc.constantFrom('begin', 'take', 'widen', 'replace', 'end', 'release'),
    fc.nat({ max: 9 }),
    fc.nat({ max: 120 * KIB }),
  )
  const LIMIT = 400

  test('never books past the limit but for one, is never below what is held, and ends at 0', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const admission = budget(LIMIT)
        const held = arenas.held
        const open = new Map<number, Reservation>()
        const overdrawn = new Set<Reservation>()
        for (const [what, which, size] of steps) {
          const one = open.get(which)
          const before = admission.reserved
          if (what === 'begin') {
            if (one !== undefined) continue
            const made = admission.begin(size % 2 === 0)
            if (made instanceof Reservation) open.set(which, made)
            else expect(admission.reserved).toBe(before)
          } else if (one === undefined) {
            continue
          } else if (what === 'take') {
            if (one.body.length > 0) continue
            if (one.take(size) !== undefined) expect(admission.reserved).toBe(before)
          } else if (what === 'widen') {
            if (one.widen(size, 0, 120 * KIB) !== undefined) expect(admission.reserved).toBe(before)
            else expect(one.body.length).toBeGreaterThanOrEqual(size)
          } else if (what === 'replace') {
            if (one.grow(size) === undefined) one.replace(arenas.take(size))
          } else if (what === 'end') {
            one.end()
          } else {
            one.release()
            open.delete(which)
          }
          const bytes = [...open.values()].map((each) => each.bytes)
          const booked = bytes.map((each) => Math.ceil(each / KIB) * KIB).reduce((a, b) => a + b, 0)
          expect(admission.reserved).toBe(booked)
          for (const each of open.values()) expect(each.bytes).toBeGreaterThanOrEqual(each.body.length + CALL_BYTES)
          // Past the limit is only what one reservation booked there.
          if (booked > LIMIT * KIB && before <= LIMIT * KIB && one !== undefined) overdrawn.add(one)
          const excess = booked - Math.max(0, ...[...overdrawn].map((each) => Math.ceil(each.bytes / KIB) * KIB))
          expect(excess).toBeLessThanOrEqual(LIMIT * KIB)
        }
        for (const one of open.values()) one.release()
        expect([admission.reserved, arenas.held - held]).toEqual([0, 0])
      }),
      { seed: 4, numRuns: 2000 },
    )
  })
})
