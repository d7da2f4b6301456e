import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { CASES } from '../../bench/cases.ts'
import { readOptions } from '../../bench/options.ts'

const options = (...args: string[]) => {
  const read = readOptions(args)
  if (typeof read === 'string') throw new Error(read)
  return read
}

test('everything runs but what is by hand, beside all engines but rotel', () => {
  const { cases, against, smoke, pace } = options()
  expect(cases).toEqual(CASES.filter(({ name }) => name !== 'soak'))
  expect(against).toEqual(['sluice-two-lanes', 'otelcol', 'otelcol-gogc400', 'protobufjs', 'grpc-raw'])
  expect([smoke, pace.windowMs, pace.repeats]).toEqual([false, 5000, 3])
})

test('cases and engines are those that are named', () => {
  const { cases, against, pace } = options(
    'soak',
    'pass',
    '--against',
    'otelcol,rotel',
    '--seconds',
    '2',
    '--minutes',
    '1',
  )
  expect(cases.map(({ name }) => name)).toEqual(['pass', 'soak'])
  expect(against).toEqual(['otelcol', 'rotel'])
  expect([pace.windowMs, pace.soakMs]).toEqual([2000, 60_000])
  expect(options('--against', 'none').against).toEqual([])
  expect(options('--generator', 'h2load').cases.map(({ name }) => name)).toEqual(['spans-grpc', 'spans-small-grpc'])
})

test('what makes no sense is refused by name', () => {
  expect(() => options('spans')).toThrow('no such case: spans; there are spans-grpc, ')
  expect(() => options('--against', 'vector')).toThrow(
    'no such engine: vector; there are sluice, sluice-two-lanes, otelcol',
  )
  expect(() => options('--generator', 'k6')).toThrow('no such generator: k6; there are h2load, grpc-go')
  expect(() => options('--seconds', 'many')).toThrow('--seconds: expected a number above 0, got "many"')
})

test('every pipeline is there, and is used', () => {
  const files = readdirSync(new URL('../../bench/pipelines', import.meta.url))
  expect([...new Set(CASES.map(({ pipeline }) => `${pipeline}.yaml`))].toSorted()).toEqual(files.toSorted())
})

test('names are there once, and every case runs Sluice first', () => {
  expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length)
  for (const { engines } of CASES) expect(engines[0]).toBe('sluice')
})
