const HIGHEST: Readonly<Record<string, number>> = { gzip: 9, zlib: 9, deflate: 9, zstd: 22 }

/** What is wrong with a level for a compression; undefined when it is one of its levels, or 0 or -1 for "the usual". */
export function compressionLevelProblem(compression: string, level: number): string | undefined {
  if (level === 0 || level === -1) return undefined
  const highest = HIGHEST[compression]
  if (highest === undefined) return `compression "${compression}" has no levels; leave level out`
  if (level >= 1 && level <= highest) return undefined
  return `expected a level of ${compression} from 1 to ${highest}, or 0 for its fastest, got ${level}`
}
