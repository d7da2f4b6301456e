/**
 * HPACK's Huffman code (RFC 7541, appendix B). It is canonical: codes of one length are consecutive in the order of their symbols,
 * and longer ones follow shorter ones. So the lengths are all there is to know.
 */
import { ProtocolError } from './protocol-error.ts'

/** Bits of the code of each byte, 16 bytes a row; the longest code, all ones, is that of the end, and is 30 bits long. */
const ROWS = [
  [13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28],
  [28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28],
  [6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6],
  [5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10],
  [13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
  [7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6],
  [15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5],
  [6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28],
  [20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23],
  [24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24],
  [22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23],
  [21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23],
  [26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25],
  [19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27],
  [20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23],
  [26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26],
]
const LENGTHS = ROWS.flat()
const END = 256
const LONGEST = 30

/** Two entries a node, for a 0 and a 1: the number of a further node, or ~symbol. Node 0 is the root. */
const TREE = tree()

function tree(): Int16Array {
  const nodes = new Int16Array(2 * (LENGTHS.length + 1))
  let used = 1
  const plant = (code: number, length: number, symbol: number): void => {
    let node = 0
    for (let bit = length - 1; bit > 0; bit--) {
      const at = 2 * node + ((code >>> bit) & 1)
      if (nodes[at] === 0) nodes[at] = used++
      node = nodes[at]!
    }
    nodes[2 * node + (code & 1)] = ~symbol
  }
  let code = 0
  for (let length = 1; length <= LONGEST; length++) {
    code <<= 1
    for (let symbol = 0; symbol < LENGTHS.length; symbol++)
      if (LENGTHS[symbol] === length) plant(code++, length, symbol)
  }
  plant(code, LONGEST, END)
  return nodes
}

let text = Buffer.alloc(1024)

/** The text of `bytes[start, end)`, one character a byte. Throws ProtocolError where it ends in something else than less than eight ones. */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string {
  // No code is shorter than five bits.
  const most = Math.ceil(((end - start) * 8) / 5)
  if (text.length < most) text = Buffer.alloc(most * 2)
  let length = 0
  let node = 0
  let pending = 0
  let ones = true
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    for (let bit = 7; bit >= 0; bit--) {
      const one = (byte >>> bit) & 1
      const next = TREE[2 * node + one]!
      pending++
      if (one === 0) ones = false
      if (next >= 0) {
        node = next
        continue
      }
      if (~next === END) throw new ProtocolError('a Huffman code has the end in it')
      text[length++] = ~next
      node = 0
      pending = 0
      ones = true
    }
  }
  if (pending > 7 || !ones) throw new ProtocolError('a Huffman code breaks off')
  return text.toString('latin1', 0, length)
}
