import { expect, test } from 'vitest'
import { planPasses } from '../../src/component/passes.ts'
import type { Access, Level, RecordProcessor } from '../../src/component/record-processor.ts'

const touches = (access: Partial<Record<Level, Access>>): RecordProcessor => ({ access })
const own = (level: Level): RecordProcessor => touches({ [level]: { reads: [level], writes: [level] } })

const records = own('record')
const resources = own('resource')
const recordsByResource = touches({ record: { reads: ['resource', 'record'], writes: ['record'] } })
const recordsIntoResource = touches({ record: { reads: ['record'], writes: ['resource'] } })
const resourceDrop = touches({ resource: { reads: ['resource'], writes: ['resource', 'scope', 'metric', 'record'] } })
const wholeMetric = touches({ metric: { reads: ['metric', 'record'], writes: ['metric', 'record'] } })

test.each<[string, RecordProcessor[], number[]]>([
  ['nothing to plan', [], []],
  ['processors that keep to their level share a pass', [records, resources, records, resources], [4]],
  ['a resource edit after records were chosen by resource begins a new pass', [recordsByResource, resources], [1, 1]],
  [
    'the other way round they share one: resources are edited before their records are seen',
    [resources, recordsByResource],
    [2],
  ],
  [
    'a record that writes its resource and one that reads it do not mix',
    [recordsIntoResource, recordsByResource],
    [1, 1],
  ],
  [
    'nor in the other order: later records would see what earlier ones wrote',
    [recordsByResource, recordsIntoResource],
    [1, 1],
  ],
  ['a dropped resource must not hide records from the processor before', [records, resourceDrop], [1, 1]],
  ['a drop first costs nothing', [resourceDrop, records], [2]],
  ['a function over a whole metric waits for what edits its points', [records, wholeMetric], [1, 1]],
  ['points may follow the whole-metric function in one pass', [wholeMetric, records], [2]],
  ['each run is checked against all of its members', [recordsByResource, records, resources, records], [2, 2]],
])('%s', (_, chain, sizes) => {
  const passes = planPasses(chain)
  expect(passes.map((pass) => pass.length)).toEqual(sizes)
  expect(passes.flat()).toEqual(chain)
})
