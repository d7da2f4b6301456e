import type { ScalarValue } from './tree.ts'

/**
 * What a plain YAML scalar means. The Collector reads YAML with go-yaml v3, which is YAML 1.2 with some of 1.1 kept: `0123`
 * and `0o17` are octal, `1_000` is a thousand, `yes` and `on` are strings, dates are left to whoever wants one.
 */
export function resolvePlain(text: string): ScalarValue {
  const known = WORDS.get(text)
  if (known !== undefined) return known
  if (!/^[-+.\d]/.test(text)) return text
  return resolveNumber(text) ?? text
}

const WORDS = new Map<string, ScalarValue>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word): [string, null] => [word, null]),
  ...['true', 'True', 'TRUE'].map((word): [string, boolean] => [word, true]),
  ...['false', 'False', 'FALSE'].map((word): [string, boolean] => [word, false]),
  ...['.nan', '.NaN', '.NAN'].map((word): [string, number] => [word, Number.NaN]),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word): [string, number] => [word, Infinity]),
  ...['-.inf', '-.Inf', '-.INF'].map((word): [string, number] => [word, -Infinity]),
])

function resolveNumber(text: string): number | bigint | undefined {
  const digits = text.replaceAll('_', '')
  const integer = /^([-+]?)(0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)$/.exec(digits)
  // 64 bits have at most 64 binary digits and a prefix; what is longer is a float, as for go-yaml.
  if (integer && digits.length <= 67) {
    const octal = /^0[0-7]/.test(integer[2]!)
    const value = BigInt(octal ? `0o${integer[2]!.slice(1)}` : integer[2]!.toLowerCase())
    const signed = integer[1] === '-' ? -value : value
    const number = Number(signed)
    return Number.isSafeInteger(number) ? number : signed
  }
  return /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(digits) ? Number(digits) : undefined
}
