import { createHash } from 'node:crypto'
import { sixBits } from './six-bits.ts'

const ROUNDS = 1000

/** The MD5 form of a password (`$1$salt$…`, Apache's `$apr1$salt$…`) with the salt of `kept`, to compare with it. */
export function md5Crypt(password: string, kept: string): string {
  const [, magic = '', salt = ''] = kept.split('$')
  const key = Buffer.from(password)
  const salted = Buffer.from(salt)
  const second = md5(key, salted, key)
  const first: Buffer[] = [key, Buffer.from(`$${magic}$`), salted]
  for (let left = key.length; left > 0; left -= 16) first.push(second.subarray(0, Math.min(16, left)))
  for (let bits = key.length; bits > 0; bits >>>= 1) first.push((bits & 1) === 1 ? Buffer.of(0) : key.subarray(0, 1))
  let digest = md5(...first)
  for (let round = 0; round < ROUNDS; round++) {
    digest = md5(
      (round & 1) === 1 ? key : digest,
      ...(round % 3 === 0 ? [] : [salted]),
      ...(round % 7 === 0 ? [] : [key]),
      (round & 1) === 1 ? digest : key,
    )
  }
  let text = ''
  for (const [a, b, c] of [
    [0, 6, 12],
    [1, 7, 13],
    [2, 8, 14],
    [3, 9, 15],
    [4, 10, 5],
  ] as const) {
    text += sixBits(digest[a]!, digest[b]!, digest[c]!)
  }
  return `$${magic}$${salt}$${text}${sixBits(0, 0, digest[11]!, 2)}`
}

function md5(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('md5')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
