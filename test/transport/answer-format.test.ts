import { expect, test } from 'vitest'
import { JSON_ANSWERS } from '../../src/transport/answer-format.ts'
import { encodeExportResponse } from '../../src/transport/export-response.ts'

test.each([
  [0, '0s'],
  [1, '0.001s'],
  [1500, '1.500s'],
  [2000, '2s'],
  [0.5, '0.000500s'],
  [0.000001, '0.000000001s'],
])('a delay of %d ms reads as protobuf writes it in JSON', (retryAfterMs, retryDelay) => {
  const text = JSON_ANSWERS.status({ code: 14, message: 'später', retryAfterMs })
  expect(JSON.parse(String(text))).toEqual({
    code: 14,
    message: 'später',
    details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay }],
  })
})

test('a status without a delay has no details', () => {
  expect(JSON_ANSWERS.status({ code: 3, message: 'no' })).toBe('{"code":3,"message":"no"}')
})

test("success and partial success are written as protobuf's JSON has them", () => {
  expect(JSON_ANSWERS.response('traces', new Uint8Array(0))).toBe('{"partialSuccess":{}}')
  const partial = encodeExportResponse({ rejected: 3, message: 'too old' })
  expect(JSON_ANSWERS.response('logs', partial)).toBe(
    '{"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"too old"}}',
  )
  expect(JSON_ANSWERS.response('metrics', encodeExportResponse({ rejected: 0, message: 'note' }))).toBe(
    '{"partialSuccess":{"errorMessage":"note"}}',
  )
})
