import { promisify } from 'node:util'
import { constants, zstdCompress } from 'node:zlib'
import type { Batch } from '../../src/otlp/batch.ts'
import { toJson } from '../../src/otlp/json.ts'

const compress = promisify(zstdCompress)
const NEWLINE = new Uint8Array([0x0a])

export interface RecordFormat {
  readonly format: 'json' | 'proto'
  /** Absent: not compressed. 0: zstd's default. */
  readonly zstdLevel: number | undefined
}

/** Whether records stand after their length, and not on lines of their own. */
export function framed({ format, zstdLevel }: RecordFormat): boolean {
  return format === 'proto' || zstdLevel !== undefined
}

/** A batch as the file holds it: one record, but for profiles, whose chunks are not one request laid end to end. */
export async function encodeRecords(batch: Batch, format: RecordFormat): Promise<Uint8Array[]> {
  const requests = batch.signal === 'profiles' ? batch.chunks.map((chunk) => [chunk]) : [batch.chunks]
  const parts: Uint8Array[] = []
  for (const chunks of requests) {
    let record = format.format === 'json' ? [toJson(batch.signal, chunks)] : chunks
    if (format.zstdLevel !== undefined) {
      record = [
        await compress(Buffer.concat(record), {
          params: { [constants.ZSTD_c_compressionLevel]: format.zstdLevel },
        }),
      ]
    }
    if (framed(format)) parts.push(lengthOf(record), ...record)
    else parts.push(...record, NEWLINE)
  }
  return parts
}

function lengthOf(record: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const { byteLength } of record) length += byteLength
  const prefix = new Uint8Array(4)
  new DataView(prefix.buffer).setUint32(0, length)
  return prefix
}
