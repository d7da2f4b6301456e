import type { Clock } from '../clock.ts'
import type { SamplerConfig } from '../config/telemetry-fields.ts'
import type { RemoteParent } from './propagation.ts'

type Plain = Pick<SamplerConfig, 'always_on' | 'always_off' | 'trace_id_ratio_based'>

/** Decides in two steps, so that no header is read for what is not sampled anyway. */
export interface Sampler {
  /** False: whatever the parent, this request is not sampled. */
  mayTake(): boolean
  /** The share to sample, from 0 to 1, of requests with this parent. */
  share(parent: RemoteParent | undefined): number
  /** The share of spans below one of these, from 0 to 1. */
  readonly below: number
}

/** Requests a second that get spans where nobody configured a sampler: 20 of them cost well below a thousandth of a core. */
const USUAL_PER_SECOND = 20

/** `service.telemetry.traces.sampler`; without one at most 20 requests a second, none of which the caller left out. */
export function sampler(config: SamplerConfig | undefined, clock: Clock): Sampler {
  if (config === undefined || Object.keys(config).length === 0) return limited(clock)
  const { parent_based: byParent } = config
  if (byParent === undefined) {
    const share = ratioOf(config, 1)
    return { mayTake: () => share > 0, share: () => share, below: 1 }
  }
  const root = ratioOf(byParent.root, 1)
  const sampled = ratioOf(byParent.remote_parent_sampled, 1)
  const unsampled = ratioOf(byParent.remote_parent_not_sampled, 0)
  const most = Math.max(root, sampled, unsampled)
  return {
    mayTake: () => most > 0,
    share: (parent) => (parent === undefined ? root : parent.sampled ? sampled : unsampled),
    below: ratioOf(byParent.local_parent_sampled, 1),
  }
}

function ratioOf(config: Plain | undefined, fallback: number): number {
  if (config?.always_off !== undefined) return 0
  if (config?.always_on !== undefined) return 1
  return config?.trace_id_ratio_based?.ratio ?? fallback
}

function limited(clock: Clock): Sampler {
  let second = Number.NEGATIVE_INFINITY
  let left = 0
  return {
    mayTake() {
      const now = clock.monotonic()
      if (now - second >= 1000) {
        second = now
        left = USUAL_PER_SECOND
      }
      return left > 0
    },
    share(parent) {
      if (parent !== undefined && !parent.sampled) return 0
      left--
      return 1
    },
    below: 1,
  }
}

const HIGH_63 = 2 ** 63

/** As Go's `TraceIDRatioBased`: by the upper 63 of the trace id's last 64 bits. */
export function traceIdFits(traceId: string, ratio: number): boolean {
  if (ratio >= 1) return true
  return Number(BigInt(`0x${traceId.slice(16)}`) >> 1n) < ratio * HIGH_63
}
