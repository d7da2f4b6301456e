import { describe, expect, test } from 'vitest'
import attributes from '../../../processors/attributes/attributes.ts'
import type { PlainObject } from '../../../src/otlp/plain-object.ts'
import { readProtobufjs, writeProtobufjs } from '../../otlp/support/oracles.ts'
import { startRecordProcessor } from '../support/run-record-processor.ts'

const text = (key: string, stringValue: string): PlainObject => ({ key, value: { stringValue } })
const actions = [{ key: 'seen', value: true, action: 'insert' }]

type Stable = 'traces' | 'metrics' | 'logs'

/** Names of the records that the processor edited, in order; a record is named by its attribute `id`. */
async function selected(signal: Stable, request: PlainObject, options: object): Promise<string[]> {
  const running = await startRecordProcessor(attributes, signal, { actions, ...options })
  const out = running.run(writeProtobufjs(signal, request))
  return namesOfEdited(readProtobufjs(signal, out!))
}

function namesOfEdited(object: PlainObject): string[] {
  const attributes = (object.attributes ?? []) as PlainObject[]
  const find = (key: string): PlainObject | undefined => attributes.find((attribute) => attribute.key === key)
  const own = find('seen') && find('id') ? [(find('id')!.value as PlainObject).stringValue as string] : []
  const below = Object.values(object)
    .filter((field) => Array.isArray(field) || (typeof field === 'object' && !(field instanceof Uint8Array)))
    .flatMap((field) => (Array.isArray(field) ? field : [field]))
    .flatMap((child) => (typeof child === 'object' ? namesOfEdited(child as PlainObject) : []))
  return [...own, ...below]
}

const strict = (properties: object): object => ({ match_type: 'strict', ...properties })

describe('spans', () => {
  const span = (id: string, name: string, kind: number, more: PlainObject[] = []): PlainObject => ({
    name,
    kind,
    attributes: [text('id', id), ...more],
  })
  const request: PlainObject = {
    resourceSpans: [
      {
        resource: { attributes: [text('service.name', 'cart'), { key: 'shard', value: { intValue: 3n } }] },
        scopeSpans: [
          {
            scope: { name: 'http', version: '1.0' },
            spans: [
              span('cart-get', 'GET', 2, [{ key: 'n', value: { doubleValue: 3 } }]),
              span('cart-post', 'POST', 3, [{ key: 'list', value: { arrayValue: { values: [{ intValue: 1n }] } } }]),
            ],
          },
          { scope: { name: 'db' }, spans: [span('cart-sql', 'GET', 3, [{ key: 'n', value: { intValue: 3n } }])] },
        ],
      },
      { scopeSpans: [{ spans: [span('nobody', 'GET', 0)] }] },
      {
        resource: { attributes: [{ key: 'service.name', value: { intValue: 7n } }] },
        scopeSpans: [{ scope: { name: 'http', version: '2.0' }, spans: [span('seven', 'PUT', 1)] }],
      },
    ],
  }
  const ALL = ['cart-get', 'cart-post', 'cart-sql', 'nobody', 'seven']

  test.each<[string, object, string[]]>([
    ['services', { services: ['cart', 'pay'] }, ['cart-get', 'cart-post', 'cart-sql']],
    ['a service whose name is a number', { services: ['7'] }, ['seven']],
    ['services, where there is no name', { services: ['<nil-service-name>'] }, ['nobody']],
    ['span names', { span_names: ['GET', 'PUT'] }, ['cart-get', 'cart-sql', 'nobody', 'seven']],
    ['span kinds', { span_kinds: ['SPAN_KIND_CLIENT', 'SPAN_KIND_INTERNAL'] }, ['cart-post', 'cart-sql', 'seven']],
    ['a name and a kind at once', { span_names: ['GET'], span_kinds: ['SPAN_KIND_CLIENT'] }, ['cart-sql']],
    ['an attribute that is there', { attributes: [{ key: 'n' }] }, ['cart-get', 'cart-sql']],
    ['an int, which a double is not', { attributes: [{ key: 'n', value: 3 }] }, ['cart-sql']],
    ['a list', { attributes: [{ key: 'list', value: [1] }] }, ['cart-post']],
    ['all of the attributes', { attributes: [{ key: 'n' }, { key: 'id', value: 'cart-sql' }] }, ['cart-sql']],
    ['a resource attribute', { resources: [{ key: 'shard', value: 3 }] }, ['cart-get', 'cart-post', 'cart-sql']],
    ['a library', { libraries: [{ name: 'http' }] }, ['cart-get', 'cart-post', 'seven']],
    ['a library and its version', { libraries: [{ name: 'http', version: '2.0' }] }, ['seven']],
    ['a library without a version', { libraries: [{ name: 'db', version: '' }] }, ['cart-sql']],
    ['two libraries, which no scope is', { libraries: [{ name: 'db' }, { name: 'http' }] }, []],
    ['a service and a library', { services: ['cart'], libraries: [{ name: 'http' }] }, ['cart-get', 'cart-post']],
  ])('by %s', async (_name, properties, names) => {
    expect(await selected('traces', request, { include: strict(properties) })).toEqual(names)
    const others = ALL.filter((name) => !names.includes(name))
    expect(await selected('traces', request, { exclude: strict(properties) })).toEqual(others)
  })

  test('exclude takes away from what include matched', async () => {
    const include = strict({ services: ['cart'] })
    const exclude = strict({ span_names: ['POST'], libraries: [{ name: 'http' }] })
    expect(await selected('traces', request, { include, exclude })).toEqual(['cart-get', 'cart-sql'])
  })
})

test.each<[string, object, string[]]>([
  ['bodies', { log_bodies: ['paid', '7'] }, ['text', 'number']],
  ['severity texts', { log_severity_texts: ['WARN'] }, ['number']],
  ['a least severity', { log_severity_number: { min: 13 } }, ['number', 'fatal']],
  ['a least severity or none', { log_severity_number: { min: 14, match_undefined: true } }, ['text', 'fatal']],
])('log records by %s', async (_name, properties, names) => {
  const record = (id: string, fields: PlainObject): PlainObject => ({ attributes: [text('id', id)], ...fields })
  const request: PlainObject = {
    resourceLogs: [
      {
        scopeLogs: [
          {
            logRecords: [
              record('text', { body: { stringValue: 'paid' } }),
              record('number', { body: { intValue: 7n }, severityNumber: 13, severityText: 'WARN' }),
              record('fatal', { severityNumber: 21, severityText: 'warn' }),
            ],
          },
        ],
      },
    ],
  }
  expect(await selected('logs', request, { include: strict(properties) })).toEqual(names)
})

test.each<[string, object, string[]]>([
  ['names', { metric_names: ['up', 'down'] }, ['up-a', 'up-b']],
  ['a resource attribute', { resources: [{ key: 'zone' }] }, ['load']],
  ['both', { metric_names: ['up'], resources: [{ key: 'zone' }] }, []],
])('data points by %s of their metric', async (_name, properties, names) => {
  const point = (id: string): PlainObject => ({ attributes: [text('id', id)], asInt: 1n })
  const metric = (name: string, ids: string[]): PlainObject => ({ name, gauge: { dataPoints: ids.map(point) } })
  const request: PlainObject = {
    resourceMetrics: [
      { scopeMetrics: [{ metrics: [metric('up', ['up-a', 'up-b']), metric('load', ['other'])] }] },
      { resource: { attributes: [text('zone', 'a')] }, scopeMetrics: [{ metrics: [metric('load', ['load'])] }] },
    ],
  }
  expect(await selected('metrics', request, { include: strict(properties) })).toEqual(names)
})
