/** In nanoseconds, as Go counts: a sum of whole ones stays exact. */
const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3, // U+00B5, micro sign
  μs: 1e3, // U+03BC, Greek letter mu
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}

const NS_PER_MS = 1e6

const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y

/** As JSON Schema says it: `signed` where it may be negative. */
export function durationPattern(signed: boolean): string {
  return `^${signed ? '[-+]' : '\\+'}?(0|((\\d+\\.?\\d*|\\.\\d+)(ns|us|µs|μs|ms|s|m|h))+)$`
}

/** Milliseconds, possibly fractional, of a duration as Go's `time.ParseDuration` reads it; undefined where it would not. */
export function parseDuration(text: string): number | undefined {
  const sign = text[0] === '-' ? -1 : 1
  const start = text[0] === '-' || text[0] === '+' ? 1 : 0
  if (text.slice(start) === '0') return 0
  let total = 0
  PART.lastIndex = start
  while (PART.lastIndex < text.length) {
    const part = PART.exec(text)
    if (part === null) return undefined
    total += Number(part[1]) * UNITS[part[2]!]!
  }
  return start === text.length ? undefined : (sign * Math.round(total)) / NS_PER_MS
}

/** As a person would write it: `1h30m`, `200ms`, `1.5s`. The inverse of `parseDuration`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s'
  if (ms < 0) return `-${formatDuration(-ms)}`
  if (ms < 1) return ms * 1e3 >= 1 ? `${clean(ms * 1e3)}us` : `${clean(ms * 1e6)}ns`
  if (ms < 1000) return `${clean(ms)}ms`
  let text = ''
  let left = ms
  for (const [unit, size] of [
    ['h', 3_600_000],
    ['m', 60_000],
  ] as const) {
    if (left >= size) {
      text += `${Math.floor(left / size)}${unit}`
      left %= size
    }
  }
  return left > 0 ? `${text}${clean(left / 1000)}s` : text
}

/** Twelve digits: what multiplication by a unit leaves behind the last of them is noise. */
function clean(value: number): number {
  return Number(value.toPrecision(12))
}
