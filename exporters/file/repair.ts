import type { FileHandle } from 'node:fs/promises'

/** Where the whole records of a file end; `newline` where the last one lacks its line end. */
export interface WholeRecords {
  readonly end: number
  readonly newline: boolean
}

const BLOCK = 64 * 1024

/**
 * Finds what a crash left torn at the end of a file of lines. A last line without its end is whole if it is a JSON
 * document: other programs leave the last line end out.
 */
export async function wholeLines(file: FileHandle, size: number): Promise<WholeRecords> {
  let tail = Buffer.alloc(0)
  let start = size
  while (start > 0) {
    const length = Math.min(BLOCK, start)
    start -= length
    const block = Buffer.alloc(length)
    await file.read(block, 0, length, start)
    const newline = block.lastIndexOf(0x0a)
    tail = Buffer.concat([block.subarray(newline + 1), tail])
    if (newline >= 0) {
      start += newline + 1
      break
    }
  }
  if (tail.length === 0) return { end: size, newline: false }
  return isJson(tail) ? { end: size, newline: true } : { end: start, newline: false }
}

/** Finds the end of the last whole record of a file of records after their lengths. */
export async function wholeFrames(file: FileHandle, size: number): Promise<WholeRecords> {
  const prefix = Buffer.alloc(4)
  let end = 0
  while (end + 4 <= size) {
    await file.read(prefix, 0, 4, end)
    const next = end + 4 + prefix.readUInt32BE()
    if (next > size) break
    end = next
  }
  return { end, newline: false }
}

function isJson(text: Buffer): boolean {
  try {
    JSON.parse(text.toString())
    return true
  } catch {
    return false
  }
}
