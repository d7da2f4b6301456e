import { expect, test } from 'vitest'
import { nearest } from '../../src/config/nearest.ts'

test.each([
  ['bacth', ['batch', 'memory_limiter'], 'batch'],
  ['htttp', ['grpc', 'http'], 'http'],
  ['Batch', ['batch'], 'batch'],
  ['recievers', ['receivers', 'exporters'], 'receivers'],
  ['otlp_htp', ['otlp', 'otlp_http'], 'otlp_http'],
  ['kafka', ['batch', 'otlp'], undefined],
  ['a', ['b'], 'b'],
  ['x', [], undefined],
])('%s among %j is %s', (text, candidates, expected) => {
  expect(nearest(text, candidates)).toBe(expected)
})

test('where one name begins or ends with it, that is meant', () => {
  const options = ['sending_queue', 'retry_on_failure', 'max_idle_conns', 'max_conns']
  expect(['queue', 'Retry', 'conns', 'on', 'sending_queue_'].map((text) => nearest(text, options))).toEqual([
    'sending_queue',
    'retry_on_failure',
    undefined,
    undefined,
    'sending_queue',
  ])
})
