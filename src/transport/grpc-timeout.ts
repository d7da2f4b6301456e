const MS_PER_UNIT: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
}
const MAX_DIGITS = 8

/** Milliseconds in a `grpc-timeout` header (gRPC over HTTP/2, "Timeout"); undefined when it is malformed. */
export function parseGrpcTimeout(value: string): number | undefined {
  const last = value.length - 1
  if (last < 1 || last > MAX_DIGITS) return undefined
  const unit = MS_PER_UNIT[value.charAt(last)]
  if (unit === undefined) return undefined
  let amount = 0
  for (let i = 0; i < last; i++) {
    const digit = value.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return undefined
    amount = amount * 10 + digit
  }
  return amount * unit
}

/** Writes `ms` in the finest unit whose amount fits 8 digits; rounded up, at least one unit. */
export function formatGrpcTimeout(ms: number): string {
  if (ms < 1e5) return `${Math.max(1, Math.ceil(ms * 1e3))}u`
  if (ms < 1e8) return `${Math.ceil(ms)}m`
  return `${Math.min(Math.ceil(ms / 1000), 99_999_999)}S`
}
