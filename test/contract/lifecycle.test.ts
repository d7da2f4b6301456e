// Every component sits the same exam. What this does not show: what a component does with data (ledger-closes.test.ts and
// the component's own tests).
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Component } from '../../src/component/contracts.ts'
import type { Definition } from '../../src/component/define.ts'
import { deadlineIn } from '../../src/lanes/deadline.ts'
import { createWith } from './support/create.ts'
import { definitions, nameOf, SMALLEST, smallestConfig } from './support/subjects.ts'

const create = async (subject: Definition): Promise<Component> => createWith(subject, await smallestConfig(subject))

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
