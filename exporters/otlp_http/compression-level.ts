/**
 * What is wrong with a level for a compression; undefined where it is right. As in the Collector: gzip, zlib and deflate have
 * zlib's own, zstd takes any number, and 0 asks for no level in particular.
 */
export function compressionLevelProblem(compression: string, level: number): string | undefined {
  if (level === 0) return undefined
  switch (compression) {
    case 'gzip':
    case 'zlib':
    case 'deflate':
      if (level >= -2 && level <= 9) return undefined
      return `expected a level of ${compression} from 1 to 9, -1 for zlib's usual, -2 for Huffman coding alone, or 0 for the fastest, got ${level}`
    case 'zstd':
      return undefined
    default:
      return `compression "${compression}" has no levels; leave level out`
  }
}
