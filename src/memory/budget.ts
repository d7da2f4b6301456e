import type { ResolvedService } from '../config/resolved.ts'
import { availableMemory } from './available.ts'

const MIB = 1 << 20
/** Unset: this share of what the process may use, */
const DEFAULT_PERCENTAGE = 25
/** but no more than this: requests that wait in gigabytes wait for minutes. */
const DEFAULT_MOST = 2048 * MIB
/** Below this, a request of the usual largest size would have no room by itself. */
const LEAST = 32 * MIB

/** Bytes of the byte budget that `service.admission` asks for. */
export function budgetBytes(admission: ResolvedService['admission'], available = availableMemory()): number {
  const { limitMib, limitPercentage } = admission
  if (limitMib !== undefined) return limitMib * MIB
  const share = Math.floor((available * (limitPercentage ?? DEFAULT_PERCENTAGE)) / 100)
  return Math.max(LEAST, limitPercentage === undefined ? Math.min(share, DEFAULT_MOST) : share)
}
