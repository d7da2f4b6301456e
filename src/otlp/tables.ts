/** A table of twice the size with the same rows at its start. */
export function grown(table: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const twice = new Int32Array(table.length * 2)
  twice.set(table)
  return twice
}
