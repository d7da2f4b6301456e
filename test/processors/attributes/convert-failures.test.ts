import { expect, test } from 'vitest'
import attributes from '../../../processors/attributes/attributes.ts'
import type { PlainObject } from '../../../src/otlp/plain-object.ts'
import { readProtobufjs, writeProtobufjs } from '../../otlp/support/oracles.ts'
import { startRecordProcessor } from '../support/run-record-processor.ts'

const SERIES = { processor: 'attributes', pipeline: 'traces', key: 'port', to: 'int' }

function request(...ports: PlainObject[]): PlainObject {
  const spans = ports.map((value) => ({ attributes: [{ key: 'port', value }] }))
  return { resourceSpans: [{ scopeSpans: [{ spans }] }] }
}

test('what convert cannot convert stays as it is and is counted', async () => {
  const running = await startRecordProcessor(attributes, 'traces', {
    actions: [{ key: 'port', action: 'convert', converted_type: 'int' }],
  })
  const out = running.run(
    writeProtobufjs(
      'traces',
      request(
        { stringValue: '443' },
        { stringValue: 'https' },
        { doubleValue: NaN },
        { arrayValue: {} },
        { intValue: 1n },
      ),
    ),
  )
  expect(readProtobufjs('traces', out!)).toEqual(
    request({ intValue: 443n }, { stringValue: 'https' }, { doubleValue: NaN }, { arrayValue: {} }, { intValue: 1n }),
  )
  expect(running.ctx.meter.value('sluice_attribute_convert_failures', SERIES)).toBe(3)
})

test('a request that nothing changed leaves as the very bytes that came', async () => {
  const running = await startRecordProcessor(attributes, 'traces', {
    actions: [
      { key: 'absent', action: 'delete' },
      { key: 'absent', action: 'update', value: 1 },
      { key: 'port', action: 'insert', value: 1 },
    ],
  })
  const bytes = writeProtobufjs('traces', request({ stringValue: '443' }))
  expect(running.run(bytes)).toEqual(Buffer.from(bytes))
})
