import { expect, onTestFinished, test } from 'vitest'
import { HealthBook } from '../../src/admin/health-book.ts'
import { HostedExtensions } from '../../src/admin/hosted-extensions.ts'
import type { Component } from '../../src/component/contracts.ts'
import { type Definition, define } from '../../src/component/define.ts'
import { field } from '../../src/config/field.ts'
import { createRegistry } from '../../src/config/registry.ts'
import type { ResolvedConfig } from '../../src/config/resolved.ts'
import { deadlineIn } from '../../src/lanes/deadline.ts'
import { SharedBoard } from '../../src/memory/shared-board.ts'
import { Admission } from '../../src/transport/admission.ts'
import { testHost } from '../support/host.ts'
import { memoryLog } from '../support/memory-log.ts'
import { MemoryMeter } from '../support/memory-meter.ts'

/** Extensions that write down what happens to them. */
function rig(extensions: Record<string, object>, failing?: string) {
  const marks: string[] = []
  const component = (id: string, ask: () => string): Component => ({
    start() {
      marks.push(`${id} starts${ask()}`)
      if (id === failing) throw new Error('there is no room')
    },
    ready: () => void marks.push(`${id} ready`),
    stopping: () => void marks.push(`${id} stopping`),
    async stop() {
      marks.push(`${id} stops`)
      if (id.endsWith('clumsy')) throw new Error('stumbled')
    },
  })
  const describe = { kind: 'extension', stability: 'beta', signals: [], summary: 'Watches.' } as const
  const auth = {
    authenticator: field.string('An id.'),
    middlewares: field.list('Ids.', field.object('One.', { id: field.string('An id.') }), { default: [] }),
  }
  const watcher = define({
    ...describe,
    type: 'watcher',
    place: 'host',
    config: auth,
    create: ({ authenticator }, ctx) =>
      component(ctx.id, () => (authenticator ? ` and finds ${typeof ctx.extension(authenticator)}` : '')),
  })
  const doorman = define({ ...describe, type: 'doorman', config: {}, create: (_, ctx) => component(ctx.id, () => '') })
  const base = testHost().config
  const config: ResolvedConfig = {
    ...base,
    extensions: Object.fromEntries(
      Object.entries(extensions).map(([id, options]) => [
        id,
        { id, type: id.split('/')[0]!, config: { ...options }, used: true },
      ]),
    ),
    service: { ...base.service, extensions: Object.keys(extensions) },
  }
  const { log, lines } = memoryLog()
  const hosted = new HostedExtensions({
    host: testHost(config),
    definitions: createRegistry([watcher, doorman] as unknown as Definition[]),
    log,
    meter: new MemoryMeter(),
    health: new HealthBook(config, () => 0),
    admission: Admission.unbounded(),
    memory: { used: () => 0 },
    board: new SharedBoard(SharedBoard.memory(), 0),
  })
  const stop = async () => {
    const deadline = deadlineIn(1000)
    onTestFinished(() => deadline.clear())
    await hosted.stop(deadline)
  }
  return { hosted, marks, lines, stop }
}

test('those that belong beside the lanes live here, in the order of the service, and no others', async () => {
  const { hosted, marks, stop } = rig({ 'watcher/b': {}, doorman: {}, 'watcher/a': {} })
  await hosted.start()
  hosted.ready()
  hosted.stopping()
  await stop()
  const each = (what: string): string[] => [`watcher/b ${what}`, `watcher/a ${what}`]
  expect(marks).toEqual(['starts', 'ready', 'stopping', 'stops'].flatMap(each))
})

test('an authenticator that one of them names runs here as well, once', async () => {
  const auth = { authenticator: 'doorman' }
  const { hosted, marks } = rig({ 'watcher/a': { auth }, 'watcher/b': auth, doorman: {} })
  await hosted.start()
  expect(marks).toEqual(['doorman starts', 'watcher/a starts', 'watcher/b starts and finds object'])
})

test('so do those that stand in middlewares', async () => {
  const middlewares = [{ id: 'doorman/b' }, { id: 'doorman/a' }]
  const { hosted, marks } = rig({ 'watcher/a': { http: { middlewares } }, 'doorman/a': {}, 'doorman/b': {} })
  await hosted.start()
  expect(marks).toEqual(['doorman/b starts', 'doorman/a starts', 'watcher/a starts'])
})

test('a start that fails says which one and why', async () => {
  const { hosted } = rig({ 'watcher/a': {} }, 'watcher/a')
  await expect(hosted.start()).rejects.toMatchObject({
    code: 'START_FAILED',
    message: 'extension watcher/a: there is no room',
  })
})

test('one that does not stop keeps none of the others from it', async () => {
  const { hosted, marks, lines, stop } = rig({ 'watcher/clumsy': {}, 'watcher/a': {} })
  await hosted.start()
  await stop()
  expect(marks.slice(-2)).toEqual(['watcher/clumsy stops', 'watcher/a stops'])
  expect(lines).toMatchObject([{ level: 'error', component: 'extension watcher/clumsy', msg: 'did not stop cleanly' }])
})
