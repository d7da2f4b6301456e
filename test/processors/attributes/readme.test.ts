import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import attributes from '../../../processors/attributes/attributes.ts'
import resource from '../../../processors/resource/resource.ts'
import type { PlainField, PlainObject } from '../../../src/otlp/plain-object.ts'
import { readProtobufjs, writeProtobufjs } from '../../otlp/support/oracles.ts'
import { startRecordProcessor } from '../support/run-record-processor.ts'

type Values = Record<string, string | number>
type Carrier = 'resource' | 'span'

function request(carrier: Carrier, values: Values): PlainObject {
  const attributes = Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { intValue: BigInt(value) } : { stringValue: value },
  }))
  return carrier === 'resource'
    ? { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: [{ name: 'a' }] }] }] }
    : { resourceSpans: [{ scopeSpans: [{ spans: [{ attributes }] }] }] }
}

function block(text: string, language: string, index: number): string {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))][index]![1]!
}

test.each([
  ['attributes', attributes, 'span'],
  ['resource', resource, 'resource'],
] as const)('the example in the README of %s does what it says', async (name, definition, carrier) => {
  const text = readFileSync(new URL(`../../../processors/${name}/README.md`, import.meta.url), 'utf8')
  const { processors } = parse(block(text, 'yaml', 0)) as { processors: Record<string, object> }
  const before = JSON.parse(block(text, 'json', 0)) as Values
  const after = JSON.parse(block(text, 'json', 1)) as Values
  const running = await startRecordProcessor(definition, 'traces', processors[name]!)
  const out: PlainField = readProtobufjs('traces', running.run(writeProtobufjs('traces', request(carrier, before)))!)
  expect(out).toEqual(request(carrier, after))
})
