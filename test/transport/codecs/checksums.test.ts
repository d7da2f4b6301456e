import { expect, test } from 'vitest'
import { crc32c } from '../../../src/transport/codecs/crc32c.ts'
import { xxhash32 } from '../../../src/transport/codecs/xxhash32.ts'

const ascending = Uint8Array.from({ length: 32 }, (_, i) => i)

test.each([
  ['123456789', Buffer.from('123456789'), 0xe3069283],
  // RFC 3720, appendix B.4.
  ['32 zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 times 255', new Uint8Array(32).fill(255), 0x62a8ab43],
  ['0 to 31', ascending, 0x46dd794e],
  ['nothing', new Uint8Array(0), 0],
])('CRC-32C of %s', (_name, bytes, expected) => {
  expect(crc32c(bytes, 0, bytes.length)).toBe(expected)
  const shifted = Buffer.concat([Buffer.from('abc'), bytes, Buffer.from('de')])
  expect(crc32c(shifted, 3, 3 + bytes.length)).toBe(expected)
})

test.each([
  ['', 0x02cc5d05],
  ['a', 0x550d7456],
  ['abc', 0x32d153ff],
  ['Nobody inspects the spammish repetition', 0xe2293b2f],
])('xxHash of %j', (text, expected) => {
  const bytes = Buffer.from(text)
  expect(xxhash32(bytes, 0, bytes.length)).toBe(expected)
  const shifted = Buffer.concat([Buffer.from('abc'), bytes, Buffer.from('de')])
  expect(xxhash32(shifted, 3, 3 + bytes.length)).toBe(expected)
})
