import { LONGEST_TIMER_MS } from '../clock.ts'
import type { Deadline } from '../component/contracts.ts'

/** A deadline `ms` from now. `clear` ends its timer once nobody waits for it any more. */
export function deadlineIn(ms: number): Deadline & { clear(): void } {
  const end = performance.now() + ms
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), Math.min(ms, LONGEST_TIMER_MS))
  return {
    remaining: () => Math.max(0, end - performance.now()),
    signal: controller.signal,
    clear: () => clearTimeout(timer),
  }
}
