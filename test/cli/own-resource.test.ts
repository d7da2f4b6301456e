import { expect, test } from 'vitest'
import { ownResource } from '../../src/cli/own-resource.ts'

test('what is configured lies over what is there on its own, and null takes away', () => {
  const { 'service.instance.id': instance, ...rest } = ownResource({
    'service.name': 'edge',
    'service.version': null,
    zone: 'a',
  })
  expect(rest).toEqual({ 'service.name': 'edge', zone: 'a' })
  expect(instance).toMatch(/^[0-9a-f-]{36}$/)
})
