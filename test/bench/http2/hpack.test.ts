import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeFields, HpackDecoder } from '../../../bench/load/http2/hpack.ts'
import { decodeHuffman } from '../../../bench/load/http2/huffman.ts'

type Field = readonly [name: string, value: string]

function decode(decoder: HpackDecoder, hex: string): Field[] {
  const fields: Field[] = []
  decoder.decode(Buffer.from(hex.replaceAll(' ', ''), 'hex'), (name, value) => fields.push([name, value]))
  return fields
}

const once = (hex: string): Field[] => decode(new HpackDecoder(), hex)

const REQUESTS: readonly (readonly Field[])[] = [
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
    ['cache-control', 'no-cache'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ],
]
const RESPONSES: readonly (readonly Field[])[] = [
  [
    [':status', '302'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['location', 'https://www.example.com'],
  ],
  [
    [':status', '307'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['location', 'https://www.example.com'],
  ],
  [
    [':status', '200'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'],
    ['location', 'https://www.example.com'],
    ['content-encoding', 'gzip'],
    ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
  ],
]
/** What the responses' decoder remembers is 256 bytes: entries are evicted. */
const TABLE_OF_256 = '3fe101'

describe('examples of RFC 7541, appendix C', () => {
  test('C.2: single fields', () => {
    expect(once('400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572')).toEqual([
      ['custom-key', 'custom-header'],
    ])
    expect(once('040c 2f73 616d 706c 652f 7061 7468')).toEqual([[':path', '/sample/path']])
    expect(once('1008 7061 7373 776f 7264 0673 6563 7265 74')).toEqual([['password', 'secret']])
    expect(once('82')).toEqual([[':method', 'GET']])
  })

  test.each([
    [
      'C.3: requests without Huffman code',
      REQUESTS,
      [
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
    ],
    [
      'C.4: requests with Huffman code',
      REQUESTS,
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
    ],
    [
      'C.5: responses without Huffman code',
      RESPONSES,
      [
        `${TABLE_OF_256} 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
        '4803 3330 37c1 c0bf',
        '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31',
      ],
    ],
    [
      'C.6: responses with Huffman code',
      RESPONSES,
      [
        `${TABLE_OF_256} 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
        '4883 640e ffc1 c0bf',
        '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
      ],
    ],
  ] as const)('%s', (_name, lists, blocks) => {
    const decoder = new HpackDecoder()
    expect(blocks.map((block) => decode(decoder, block))).toEqual(lists)
  })
})

test('what is written is read again, by a decoder that knows nothing and by one that has read much', () => {
  const text = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    maxLength: 126,
  })
  const field = fc.oneof(
    fc.tuple(text, text),
    fc.tuple(fc.constantFrom(':path', 'te', 'content-type', 'user-agent', 'accept-charset'), text),
    fc.constantFrom<Field>([':method', 'POST'], [':scheme', 'http'], [':status', '200']),
  )
  const decoder = new HpackDecoder()
  fc.assert(
    fc.property(fc.array(field), (fields) => {
      const hex = encodeFields(fields).toString('hex')
      expect(once(hex)).toEqual(fields)
      expect(decode(decoder, hex)).toEqual(fields)
    }),
    { seed: 7541 },
  )
})

test.each([
  ['ff8080808001', 'an integer of a header block is too large'],
  ['ff', 'a header block breaks off'],
  ['80', 'a header field refers to entry 0 of a table without it'],
  ['be', 'a header field refers to entry 62 of a table without it'],
  ['0003616263', 'a header block breaks off'],
  ['00036162', 'a header block breaks off'],
  ['823f00', 'the size of a header table changes in the middle of a block'],
  ['3fe21f', 'a header table of 4097 bytes; 4096 are allowed'],
])('%s is refused: %s', (hex, message) => {
  expect(() => once(hex)).toThrow(message)
})

test('a Huffman code ends in less than eight ones, and has no end in it', () => {
  const text = (hex: string): string => {
    const bytes = Buffer.from(hex, 'hex')
    return decodeHuffman(bytes, 0, bytes.length)
  }
  // 'a' is 00011.
  expect(text('1f')).toBe('a')
  expect(() => text('1e')).toThrow('breaks off')
  expect(() => text('1fff')).toThrow('breaks off')
  expect(() => text('ffffffff')).toThrow('has the end in it')
})
