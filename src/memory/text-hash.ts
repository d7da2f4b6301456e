const PRIME = 0x0100_0193
const BASIS = 0x811c_9dc5

/** 32 bits of a text, FNV-1a over its UTF-16 units. Another `seed`, another hash. For tables, not against people who mean harm. */
export function text32(text: string, seed = 0): number {
  let hash = BASIS ^ seed
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), PRIME)
  // The last characters have moved the low bits only.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d)
  return hash ^ (hash >>> 12)
}
