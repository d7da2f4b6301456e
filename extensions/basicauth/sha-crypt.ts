import { createHash } from 'node:crypto'
import { sixBits } from './six-bits.ts'

const DEFAULT_ROUNDS = 5000
const LEAST_ROUNDS = 1000

/**
 * The SHA-256 (`$5$`) or SHA-512 (`$6$`) form of a password with the salt and rounds of `kept`, to compare with it: U. Drepper,
 * "Unix crypt using SHA-256 and SHA-512", whose names of the intermediate values are used here.
 */
export function shaCrypt(password: string, kept: string): string {
  const [, kind = '5', rounds, salt = ''] = /^\$([56])\$(?:rounds=(\d+)\$)?([^$]*)\$/.exec(kept) ?? []
  const hash = kind === '5' ? 'sha256' : 'sha512'
  const digest = (...parts: readonly Uint8Array[]): Buffer => {
    const state = createHash(hash)
    for (const part of parts) state.update(part)
    return state.digest()
  }
  const key = Buffer.from(password)
  const used = salt.slice(0, 16)
  const salted = Buffer.from(used)
  const b = digest(key, salted, key)
  const first: Uint8Array[] = [key, salted, repeated(b, key.length)]
  for (let bits = key.length; bits > 0; bits >>>= 1) first.push((bits & 1) === 1 ? b : key)
  let a = digest(...first)
  const p = repeated(digest(...Array.from({ length: key.length }, () => key)), key.length)
  const s = repeated(digest(...Array.from({ length: 16 + a[0]! }, () => salted)), salted.length)
  const times = rounds === undefined ? DEFAULT_ROUNDS : Math.max(LEAST_ROUNDS, Number(rounds))
  for (let round = 0; round < times; round++) {
    const odd = (round & 1) === 1
    const state = createHash(hash).update(odd ? p : a)
    if (round % 3 !== 0) state.update(s)
    if (round % 7 !== 0) state.update(p)
    a = state.update(odd ? a : p).digest()
  }
  const settings = rounds === undefined ? '' : `rounds=${times}$`
  return `$${kind}$${settings}${used}$${kind === '5' ? text256(a) : text512(a)}`
}

function repeated(bytes: Uint8Array, length: number): Buffer {
  const out = Buffer.alloc(length)
  for (let at = 0; at < length; at += bytes.length) out.set(bytes.subarray(0, length - at), at)
  return out
}

/** Three bytes a third of the digest apart, each group turned by a place against the one before; then what is left. */
function text256(a: Uint8Array): string {
  let text = ''
  for (let i = 0; i < 10; i++) text += group(a, i, 10, 2 * i)
  return text + sixBits(0, a[31]!, a[30]!, 3)
}

function text512(a: Uint8Array): string {
  let text = ''
  for (let i = 0; i < 21; i++) text += group(a, i, 21, i)
  return text + sixBits(0, 0, a[63]!, 2)
}

function group(a: Uint8Array, i: number, third: number, turns: number): string {
  const at = (place: number): number => a[i + third * ((place + turns) % 3)]!
  return sixBits(at(0), at(1), at(2))
}
