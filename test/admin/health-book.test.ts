import { expect, test } from 'vitest'
import { HealthBook } from '../../src/admin/health-book.ts'
import { testHost } from '../support/host.ts'

function book() {
  let now = 1000
  const health = new HealthBook(testHost().config, () => now)
  const at = (ms: number) => {
    now = ms
    return health
  }
  const of = (id: string) => health.read().find((each) => each.id === id)
  return { health, at, of }
}

test('every component starts, runs, stops with the engine, since the moment the engine did', () => {
  const { at, of, health } = book()
  expect(health.read().map(({ kind, id, pipeline }) => [kind, id, pipeline])).toEqual([
    ['extension', 'health_check', undefined],
    ['receiver', 'otlp', undefined],
    ['processor', 'batch', 'traces'],
    ['exporter', 'debug', undefined],
  ])
  expect(of('otlp')).toMatchObject({ health: 'starting', since: 1000 })
  at(2000).phase = 'running'
  expect(of('otlp')).toMatchObject({ health: 'ok', since: 2000 })
  at(3000).phase = 'stopping'
  expect(of('otlp')).toMatchObject({ health: 'stopping', since: 3000 })
  at(4000).phase = 'stopped'
  expect(of('otlp')).toMatchObject({ health: 'stopped', since: 4000 })
})

test('a component is what it said of itself last while the engine runs, and a fatal one stays so at the stop', () => {
  const { at, of } = book()
  at(2000).phase = 'running'
  at(2500).take({ kind: 'exporter', id: 'debug', health: 'recoverable', message: 'no peer' })
  at(2600).take({ kind: 'processor', id: 'batch', pipeline: 'traces', health: 'fatal', message: 'gone' })
  expect(of('debug')).toMatchObject({ health: 'recoverable', message: 'no peer', since: 2500 })
  at(3000).take({ kind: 'exporter', id: 'debug', health: 'ok' })
  expect(of('debug')).toEqual({ kind: 'exporter', id: 'debug', health: 'ok', since: 3000 })
  at(4000).phase = 'stopping'
  expect(of('debug')).toMatchObject({ health: 'stopping' })
  expect(of('batch')).toMatchObject({ health: 'fatal', message: 'gone' })
})

test('listeners hear each change until they leave, and nothing of who is not there', () => {
  const { at, health } = book()
  let heard = 0
  const leave = health.listen(() => heard++)
  at(1).phase = 'running'
  at(2).phase = 'running'
  at(3).take({ kind: 'exporter', id: 'unknown', health: 'ok' })
  at(4).take({ kind: 'exporter', id: 'debug', health: 'ok' })
  leave()
  at(5).phase = 'stopping'
  expect(heard).toBe(2)
})

test('a component is as well as the worst of its instances, and one that is lost has no say', () => {
  const { at, of, health } = book()
  at(1).phase = 'running'
  let heard = 0
  health.listen(() => heard++)
  const debug = { kind: 'exporter', id: 'debug' } as const
  at(2000).take({ ...debug, health: 'recoverable', message: 'no peer' }, 0)
  at(2100).take({ ...debug, health: 'recoverable', message: 'no route' }, 1)
  expect(of('debug')).toMatchObject({ health: 'recoverable', message: 'no peer', since: 2000 })
  at(2200).take({ ...debug, health: 'permanent', message: 'bad key' }, 2)
  expect(of('debug')).toMatchObject({ health: 'permanent', message: 'bad key', since: 2200 })
  at(2300).take({ ...debug, health: 'ok' }, 0)
  expect(of('debug')).toMatchObject({ health: 'permanent', since: 2200 })
  at(2400).forget(2)
  expect(of('debug')).toMatchObject({ health: 'recoverable', message: 'no route', since: 2400 })
  at(2500).take({ ...debug, health: 'ok' }, 1)
  expect(of('debug')).toEqual({ ...debug, health: 'ok', since: 2500 })
  at(2600).take({ ...debug, health: 'ok' }, 0)
  at(2700).forget(1)
  expect(of('debug')).toMatchObject({ since: 2500 })
  expect(heard).toBe(4)
})
