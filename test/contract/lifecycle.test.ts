// Every component sits the same exam. What this does not show: what a component does with data (ledger-closes.test.ts and
// the component's own tests).
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import type { Component, ComponentContext } from '../../src/component/contracts.ts'
import type { Definition } from '../../src/component/define.ts'
import { ack, type Consumer } from '../../src/component/delivery.ts'
import { deadlineIn } from '../../src/lanes/deadline.ts'
import { testContext } from '../support/context.ts'
import { testHost } from '../support/host.ts'
import { definitions, nameOf, SMALLEST, smallestConfig } from './support/subjects.ts'

const sink: Consumer = { acknowledges: 'delivered', consume: ack }

async function create(subject: Definition): Promise<Component> {
  const config = (await smallestConfig(subject)) as never
  const ctx: ComponentContext = {
    ...testContext(),
    kind: subject.kind,
    id: subject.type,
    signals: subject.signals,
    clock: systemClock,
  }
  switch (subject.kind) {
    case 'receiver':
      return subject.create(config, ctx, Object.fromEntries(subject.signals.map((signal) => [signal, sink])))
    case 'processor':
      if (!subject.record) return subject.create(config, ctx, sink)
      await subject.record(config, ctx)
      return {}
    case 'connector':
      return subject.create(config, ctx, { to: () => sink, pipeline: () => sink, pipelines: ['traces'] })
    case 'extension':
      if (subject.place === 'host') return subject.create(config, { ...ctx, host: testHost() })
      return subject.create(config, ctx)
    default:
      return subject.create(config, ctx)
  }
}

async function stop(component: Component): Promise<void> {
  const deadline = deadlineIn(2000)
  onTestFinished(() => deadline.clear())
  await component.stop?.(deadline)
  deadline.clear()
}

/** What keeps the process alive, but for the pipes and ports of the test runner itself. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) {
    if (/TCP|UDP|HTTP|FSReq|FSWatcher|ProcessWrap|TLS/.test(name)) counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

test('every component has its smallest configuration in the exam', () => {
  expect(definitions.map(nameOf).sort()).toEqual(Object.keys(SMALLEST).sort())
})

describe.each(definitions.map((definition) => [nameOf(definition), definition] as const))('%s', (_, subject) => {
  test('stops although it never started', async () => {
    await stop(await create(subject))
  })

  test('starts, stops, stops again, and leaves nothing open', async () => {
    const before = resources()
    const component = await create(subject)
    await component.start?.()
    component.ready?.()
    component.stopping?.()
    await stop(component)
    await stop(component)
    // Not equality: what an earlier test closed may still have been going away when this one began.
    const left = (): [string, number][] => Object.entries(resources()).filter(([name, n]) => n > (before[name] ?? 0))
    await expect.poll(left, { timeout: 3000 }).toEqual([])
  })

  test('starts again as another instance right after: nothing of the first one lingers', async () => {
    for (let round = 0; round < 2; round++) {
      const component = await create(subject)
      await component.start?.()
      await stop(component)
    }
  })
})
