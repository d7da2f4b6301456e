import { expect, test } from 'vitest'
import { ownResource, readResource, resourceTexts } from '../../src/telemetry/own-resource.ts'

const AUTOMATIC = { 'service.name': 'sluice', 'service.version': '1', 'service.instance.id': 'i' }

test('what is configured lies over what is there on its own, and null takes away', () => {
  const own = ownResource(AUTOMATIC, { 'service.name': 'edge', 'service.version': null, zone: 'a', size: 3, big: true })
  expect(own).toEqual({
    attributes: { 'service.name': 'edge', 'service.instance.id': 'i', zone: 'a', size: 3n, big: true },
    schemaUrl: '',
  })
  expect(resourceTexts(own)).toMatchObject({ size: '3', big: 'true' })
})

test('the declarative form: attributes win over attributes_list, types are kept', () => {
  const own = ownResource(AUTOMATIC, {
    schema_url: 'https://opentelemetry.io/schemas/1.38.0',
    attributes_list: 'a=from%20list,b=2',
    attributes: [
      { name: 'a', value: 'x' },
      { name: 'share', value: 1, type: 'double' },
      { name: 'zones', value: ['n', 's'], type: 'string_array' },
      { name: 'service.instance.id', value: null },
    ],
  })
  expect(own).toEqual({
    attributes: { 'service.name': 'sluice', 'service.version': '1', a: 'x', b: '2', share: 1, zones: ['n', 's'] },
    schemaUrl: 'https://opentelemetry.io/schemas/1.38.0',
  })
  expect(resourceTexts(own)['zones']).toBe('["n","s"]')
})

test('what is no attribute is named with its place', () => {
  const problems = (raw: Record<string, unknown>) =>
    readResource(raw).problems.map(({ path, message }) => `${path.join('.')}: ${message}`)
  expect(problems({ a: { b: 1 } })).toEqual(['a: expected a string, a number, true or false, or a list of them'])
  expect(
    problems({ attributes: [{ value: 1 }, { name: 'n', value: 'x', type: 'int' }], zone: 1, detectors: { x: 1 } }),
  ).toEqual([
    'zone: there is no such key beside attributes, attributes_list, schema_url, detectors, detection/development; write it under attributes: [{name: zone, value: …}]',
    'detectors: not supported, as in the Collector; write detection/development: {detectors: [{host: {}}]}, or the attributes',
    'attributes.0: expected {name: …, value: …} with the name of an attribute',
    'attributes.1.value: expected a value of type int',
  ])
})
