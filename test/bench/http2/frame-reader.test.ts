import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type FrameHandler, FrameReader } from '../../../bench/load/http2/frame-reader.ts'
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  GOAWAY,
  HEADERS,
  numberFrame,
  PADDED,
  PING,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  SETTINGS_ACK,
  settings,
  WINDOW_UPDATE,
} from '../../../bench/load/http2/frames.ts'

/** Writes down what it is told; neighbouring parts of one body become one. */
class Log implements FrameHandler {
  readonly lines: string[] = []
  #body = ''
  data(stream: number, bytes: Buffer, start: number, end: number, spent: number, ended: boolean): void {
    this.#body += bytes.toString('latin1', start, end)
    if (ended) this.lines.push(`data ${stream} ${this.#body}`)
    if (ended) this.#body = ''
    this.spent += spent
  }
  spent = 0
  headers(stream: number, block: Buffer, ended: boolean): void {
    this.lines.push(`headers ${stream} ${block.toString('latin1')} ${ended}`)
  }
  reset(stream: number, code: number): void {
    this.lines.push(`reset ${stream} ${code}`)
  }
  setting(id: number, value: number): void {
    this.lines.push(`setting ${id} ${value}`)
  }
  settingsEnd(): void {
    this.lines.push('settings end')
  }
  ping(payload: Buffer): void {
    this.lines.push(`ping ${payload.toString('latin1')}`)
  }
  goAway(lastStream: number, code: number): void {
    this.lines.push(`goaway ${lastStream} ${code}`)
  }
  window(stream: number, increment: number): void {
    this.lines.push(`window ${stream} ${increment}`)
  }
}

const text = (content: string): Buffer => Buffer.from(content, 'latin1')
const padded = (content: string, padding: number): Buffer =>
  Buffer.concat([Buffer.from([padding]), text(content), Buffer.alloc(padding)])
const PRIORITY_BYTES = Buffer.alloc(5)
const UNKNOWN_TYPE = 0xbe

const ALL = Buffer.concat([
  settings([
    [3, 100],
    [4, 1 << 20],
  ]),
  SETTINGS_ACK,
  frame(HEADERS, END_HEADERS, 1, text('block')),
  frame(DATA, 0, 1, text('one ')),
  frame(UNKNOWN_TYPE, 0xff, 1, text('whatever')),
  frame(DATA, PADDED, 1, padded('two ', 7)),
  frame(DATA, END_STREAM, 1, text('three')),
  frame(HEADERS, PADDED | PRIORITY | END_STREAM, 3, padded(`${PRIORITY_BYTES.toString('latin1')}first `, 3)),
  frame(CONTINUATION, 0, 3, text('second ')),
  frame(CONTINUATION, END_HEADERS, 3, text('third')),
  frame(DATA, END_STREAM, 5, text('')),
  frame(DATA, END_STREAM | PADDED, 7, padded('', 0)),
  frame(PING, 0, 0, text('8 bytes.')),
  frame(PING, ACK, 0, text('8 bytes.')),
  numberFrame(WINDOW_UPDATE, 0, 77),
  numberFrame(WINDOW_UPDATE, 9, 0x7fff_ffff),
  numberFrame(RST_STREAM, 9, 8),
  frame(GOAWAY, 0, 0, Buffer.concat([numberFrame(0, 0, 9).subarray(9), numberFrame(0, 0, 2).subarray(9), text('why')])),
])
const LINES = [
  'setting 3 100',
  'setting 4 1048576',
  'settings end',
  'headers 1 block false',
  'data 1 one two three',
  'headers 3 first second third true',
  'data 5 ',
  'data 7 ',
  'ping 8 bytes.',
  'window 0 77',
  'window 9 2147483647',
  'reset 9 8',
  'goaway 9 2',
]
/** Padding and its length count: 4, 1 + 4 + 7, 5, 0, 1. */
const SPENT = 4 + 12 + 5 + 0 + 1

test('frames are the same wherever the chunks of the socket end', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sizes) => {
      const log = new Log()
      const reader = new FrameReader(log)
      for (let at = 0, i = 0; at < ALL.length; i++) {
        const size = sizes[i % sizes.length]!
        reader.read(ALL.subarray(at, at + size))
        at += size
      }
      expect(log.lines).toEqual(LINES)
      expect(log.spent).toBe(SPENT)
    }),
    { seed: 9113 },
  )
  const log = new Log()
  new FrameReader(log).read(ALL)
  expect([log.lines, log.spent]).toEqual([LINES, SPENT])
})

const tooLong = Buffer.alloc(9)
tooLong.writeUIntBE(16_385, 0, 3)

test.each([
  ['a frame of 16385 bytes; 16384 are allowed', tooLong],
  ['a frame of type 0 in the middle', Buffer.concat([frame(HEADERS, 0, 1, text('x')), frame(DATA, 0, 1, text('x'))])],
  [
    'a frame of type 9 in the middle',
    Buffer.concat([frame(HEADERS, 0, 1, text('x')), frame(CONTINUATION, 4, 3, text('x'))]),
  ],
  ['CONTINUATION of nothing', frame(CONTINUATION, END_HEADERS, 1, text('x'))],
  ['a frame of type 0 on stream 0', frame(DATA, 0, 0, text('x'))],
  ['a frame of type 1 on stream 0', frame(HEADERS, END_HEADERS, 0, text('x'))],
  ['HEADERS without room for their priority', frame(HEADERS, END_HEADERS | PRIORITY, 1, text('1234'))],
  ['a frame of nothing but padding', frame(DATA, PADDED, 1, Buffer.from([2, 0]))],
  ['a frame of type 3 with 3 bytes', frame(RST_STREAM, 0, 1, text('123'))],
  ['SETTINGS of 5 bytes', frame(SETTINGS, 0, 0, text('12345'))],
  ['PUSH_PROMISE where nobody wants any', frame(PUSH_PROMISE, 0, 1, text('1234'))],
  ['a frame of type 6 with 7 bytes', frame(PING, 0, 0, text('1234567'))],
  ['GOAWAY of 7 bytes', frame(GOAWAY, 0, 0, text('1234567'))],
  ['WINDOW_UPDATE by nothing', numberFrame(WINDOW_UPDATE, 1, 0)],
])('%s is refused', (message, bytes) => {
  expect(() => new FrameReader(new Log()).read(bytes)).toThrow(message)
})

test('a header block has an end', () => {
  const reader = new FrameReader(new Log())
  reader.read(frame(HEADERS, 0, 1, text('x')))
  const part = frame(CONTINUATION, 0, 1, Buffer.alloc(16_384))
  // 64 of them and the first byte are more than 1 MiB.
  for (let i = 0; i < 63; i++) reader.read(part)
  expect(() => reader.read(part)).toThrow('a header block of more than 1048576 bytes')
})
