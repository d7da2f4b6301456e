import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import attributes from '../../../processors/attributes/attributes.ts'
import resource from '../../../processors/resource/resource.ts'
import type { PlainField, PlainObject } from '../../../src/otlp/plain-object.ts'
import { arbitraryRequest, KEYS } from '../../otlp/support/arbitraries.ts'
import { readProtobufjs, writeProtobufjs } from '../../otlp/support/oracles.ts'
import { startRecordProcessor } from '../support/run-record-processor.ts'
import { type Action, applyActions } from './model.ts'

const key = fc.constantFrom(...KEYS.filter((text) => text !== ''), 'new')
const value = fc.oneof(fc.constantFrom('', 'text', '-12', 0, 7, -3.5, true, false))
const arbitraryAction: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ key, action: fc.constantFrom('insert', 'update', 'upsert'), value }),
  fc.record(
    { key, action: fc.constantFrom('insert', 'update', 'upsert'), from_attribute: key, default_value: value },
    { requiredKeys: ['key', 'action', 'from_attribute'] },
  ),
  fc.record({ key, action: fc.constantFrom('delete', 'hash') }),
  fc.record({ key, action: fc.constant('convert'), converted_type: fc.constantFrom('int', 'double', 'string') }),
)

type Edit = (attributes: PlainObject[] | undefined) => PlainObject[] | undefined

/** The lists of attributes that the two processors edit, replaced. */
const EDITED = {
  attributes: {
    traces: (object: PlainObject, edit: Edit) => at(object, ['resourceSpans', 'scopeSpans', 'spans'], edit),
    logs: (object: PlainObject, edit: Edit) => at(object, ['resourceLogs', 'scopeLogs', 'logRecords'], edit),
    metrics: (object: PlainObject, edit: Edit) =>
      ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'].reduce(
        (edited, kind) => at(edited, ['resourceMetrics', 'scopeMetrics', 'metrics', kind, 'dataPoints'], edit),
        object,
      ),
  },
  resource: {
    traces: (object: PlainObject, edit: Edit) => at(object, ['resourceSpans', 'resource'], edit),
    logs: (object: PlainObject, edit: Edit) => at(object, ['resourceLogs', 'resource'], edit),
    metrics: (object: PlainObject, edit: Edit) => at(object, ['resourceMetrics', 'resource'], edit),
  },
}

function at(object: PlainObject, [name, ...path]: readonly string[], edit: Edit): PlainObject {
  if (name === undefined) {
    const { attributes: before, ...rest } = object
    const after = edit(before as PlainObject[] | undefined)
    return after === undefined || after.length === 0 ? rest : { ...rest, attributes: after }
  }
  const inner = object[name]
  if (inner === undefined) {
    // A resource that is not there is an empty one: setting an attribute brings it into being.
    const made = name === 'resource' ? at({}, path, edit) : {}
    return Object.keys(made).length > 0 ? { ...object, [name]: made } : object
  }
  const edited = Array.isArray(inner)
    ? inner.map((element) => at(element as PlainObject, path, edit))
    : at(inner as PlainObject, path, edit)
  return { ...object, [name]: edited }
}

/** Whether a resource without attributes is written or left out is all the same. */
function withoutEmptyResources(request: PlainObject): PlainObject {
  const resources = (list: PlainField): PlainField =>
    (list as PlainObject[]).map(({ resource, ...rest }) =>
      resource === undefined || Object.keys(resource).length === 0 ? rest : { resource, ...rest },
    )
  return Object.fromEntries(Object.entries(request).map(([name, list]) => [name, resources(list)]))
}

describe.each([
  ['attributes', attributes, 'actions'],
  ['resource', resource, 'attributes'],
] as const)('%s', (name, definition, option) => {
  test.each(['traces', 'logs', 'metrics'] as const)('does to %s what the plain model does', async (signal) => {
    await fc.assert(
      fc.asyncProperty(
        // Several requests for one list of actions: nothing of the one may be left when the next comes.
        fc.array(arbitraryRequest(signal), { minLength: 1, maxLength: 10 }),
        fc.array(arbitraryAction, { minLength: 1, maxLength: 6 }),
        async (requests, actions) => {
          const running = await startRecordProcessor(definition, signal, { [option]: actions })
          for (const { object, bytes } of requests) {
            const edited = EDITED[name][signal](object, (list) => applyActions(actions, list ?? []))
            const expected = readProtobufjs(signal, writeProtobufjs(signal, edited))
            const out = readProtobufjs(signal, running.run(bytes) ?? new Uint8Array(0))
            expect(withoutEmptyResources(out)).toEqual(withoutEmptyResources(expected))
          }
        },
      ),
      { numRuns: 150 },
    )
  })
})
