import { expect, test } from 'vitest'
import { Pressure, type PressureSettings } from '../../src/memory/pressure.ts'

const S = 1000
const HARD = 1000
const SOFT = 800

function pressure(settings: Partial<PressureSettings> = {}): Pressure {
  return new Pressure(
    {
      hardLimit: HARD,
      softLimit: SOFT,
      checkIntervalMs: S,
      soft: { minMs: 10 * S, maxMs: 30 * S },
      hard: { minMs: 0, maxMs: 30 * S },
      ...settings,
    },
    0,
  )
}

test('refuses from the soft limit on, and no longer below it', () => {
  const one = pressure()
  const refusing = [SOFT - 1, SOFT, HARD, SOFT - 1].map((used, i) => {
    one.read(used, i)
    return one.refusing
  })
  expect(refusing).toEqual([false, true, true, false])
})

test('above the soft limit the first collection keeps its distance from the start', () => {
  const one = pressure()
  const asked = Array.from({ length: 12 }, (_, second) => one.read(SOFT, second * S))
  // More than 10 s after 0: the twelfth reading, at 11 s.
  expect(asked.findIndex((limit) => limit !== undefined)).toBe(11)
  expect(asked[11]).toBe('soft')
})

test('above the hard limit every reading asks for one', () => {
  const one = pressure({ hard: { minMs: 0, maxMs: 0 } })
  for (let second = 1; second < 5; second++) {
    expect(one.read(HARD, second * S)).toBe('hard')
    expect(one.collected(HARD, second * S)).toBe(false)
  }
})

test('a collection that brings memory below the soft limit ends the refusal', () => {
  const one = pressure()
  expect(one.read(HARD, 1 * S)).toBe('hard')
  expect(one.refusing).toBe(true)
  expect(one.collected(SOFT - 1, 1 * S)).toBe(true)
  expect(one.refusing).toBe(false)
})

test('fruitless collections double the pause of both limits, up to the most of each', () => {
  const one = pressure({ soft: { minMs: 10 * S, maxMs: 60 * S }, hard: { minMs: 0, maxMs: 10 * S } })
  const pauses: { soft: number; hard: number }[] = []
  let now = S
  for (let i = 0; i < 5; i++) {
    expect(one.read(HARD, now)).toBe('hard')
    expect(one.collected(HARD, now)).toBe(false)
    pauses.push(one.pauses)
    now += one.pauses.hard + 1
  }
  expect(pauses.map(({ soft }) => soft)).toEqual([20 * S, 40 * S, 60 * S, 60 * S, 60 * S])
  // From just below the check interval: 0.95 s, doubled.
  expect(pauses.map(({ hard }) => hard)).toEqual([1.9 * S, 3.8 * S, 7.6 * S, 10 * S, 10 * S])
})

test.each([
  ['a collection that frees 5 %', 950, 20 * S],
  ['one that frees less', 951, 40 * S],
])('%s: the next pause', (_, after, pause) => {
  const one = pressure({ soft: { minMs: 10 * S, maxMs: 60 * S }, hard: { minMs: 10 * S, maxMs: 60 * S } })
  one.read(HARD, 11 * S)
  one.collected(HARD, 11 * S)
  expect(one.pauses.hard).toBe(20 * S)
  expect(one.read(HARD, 32 * S)).toBe('hard')
  expect(one.collected(after, 32 * S)).toBe(after === 950)
  // Freed: doubling begins anew, at the least. Else 40 s.
  expect(one.pauses.hard).toBe(after === 950 ? 10 * S : pause)
})

test('memory that comes down on its own ends the longer pause as well', () => {
  const one = pressure()
  one.read(HARD, S)
  one.collected(HARD, S)
  expect(one.pauses.hard).toBe(1.9 * S)
  one.read(900, 2 * S)
  expect(one.pauses).toEqual({ soft: 10 * S, hard: 0 })
})

test('a most of 0 keeps to the least', () => {
  const one = pressure({ soft: { minMs: 5 * S, maxMs: 0 } })
  for (const second of [6, 12, 18]) {
    expect(one.read(SOFT, second * S)).toBe('soft')
    one.collected(SOFT, second * S)
    expect(one.pauses.soft).toBe(5 * S)
  }
})
