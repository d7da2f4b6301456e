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
