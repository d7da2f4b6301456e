/** How one user's password is kept. */
export type Kept =
  | { readonly scheme: 'bcrypt' | 'md5' | 'sha-crypt' | 'plain'; readonly text: string }
  | { readonly scheme: 'sha'; readonly digest: Uint8Array; readonly salt: Uint8Array }

/**
 * Reads the lines of an htpasswd file: `user:password`, the password as bcrypt (`-B`), Apache's or crypt's MD5 (`-m`), crypt's
 * SHA-256 or SHA-512 (`-2`, `-5`), SHA-1 (`-s`, also salted, `{SSHA}`) or as it is (`-p`). A later line of a user replaces an earlier one. Problems name the line and
 * never what is in it.
 */
export function parseHtpasswd(text: string): {
  readonly users: ReadonlyMap<string, Kept>
  readonly problems: string[]
} {
  const users = new Map<string, Kept>()
  const problems: string[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    const kept = colon <= 0 ? 'expected `user:password`' : keptPassword(line.slice(colon + 1))
    if (typeof kept === 'string') problems.push(`line ${index + 1}: ${kept}`)
    else users.set(line.slice(0, colon), kept)
  }
  return { users, problems }
}

const SHA1_BYTES = 20
const MOST_ROUNDS = 20_000

function keptPassword(text: string): Kept | string {
  if (/^\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}$/.test(text)) return { scheme: 'bcrypt', text }
  if (/^\$(?:apr1|1)\$[^$]{0,8}\$[./A-Za-z0-9]{22}$/.test(text)) return { scheme: 'md5', text }
  const crypt = /^\$[56]\$(?:rounds=(\d{1,9})\$)?[^$]{0,16}\$[./A-Za-z0-9]+$/.exec(text)
  if (crypt !== null) {
    // One comparison must not hold a lane for seconds.
    if (Number(crypt[1] ?? 0) > MOST_ROUNDS) return `more than ${MOST_ROUNDS} rounds, which take too long; use bcrypt`
    return { scheme: 'sha-crypt', text }
  }
  const sha = /^\{S?SHA\}([A-Za-z0-9+/]+=*)$/.exec(text)?.[1]
  if (sha !== undefined) {
    const bytes = Buffer.from(sha, 'base64')
    if (bytes.length < SHA1_BYTES) return 'a SHA-1 of fewer than 20 bytes'
    return { scheme: 'sha', digest: bytes.subarray(0, SHA1_BYTES), salt: bytes.subarray(SHA1_BYTES) }
  }
  if (/^(?:\$\w+\$|\{\w+\})/.test(text)) {
    return 'passwords of this form are not read; make the line again with `htpasswd -B`, which is also the safest'
  }
  return { scheme: 'plain', text }
}
