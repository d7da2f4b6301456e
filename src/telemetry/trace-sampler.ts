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

/**
 * `service.telemetry.traces.sampler`; without one at most 20 requests a second, none of which the caller left out. The first
 * cell of `shared` counts them for all lanes.
 */
export function sampler(config: SamplerConfig | undefined, clock: Clock, shared: Int32Array): Sampler {
  if (config === undefined || Object.keys(config).length === 0) return limited(clock, shared)
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

/** The cell has the second, by the wall, and below it what was taken of it: one number, so that lanes agree on both. */
const TAKEN_BITS = 8
const TAKEN = (1 << TAKEN_BITS) - 1

function limited(clock: Clock, cells: Int32Array): Sampler {
  const thisSecond = (): number => (Math.floor(clock.now() / 1000) << TAKEN_BITS) | 0
  const left = (seen: number, second: number): boolean =>
    (seen & ~TAKEN) !== second || (seen & TAKEN) < USUAL_PER_SECOND
  const take = (): boolean => {
    const second = thisSecond()
    for (let seen = Atomics.load(cells, 0); left(seen, second); ) {
      const next = (seen & ~TAKEN) === second ? seen + 1 : second + 1
      const found = Atomics.compareExchange(cells, 0, seen, next)
      if (found === seen) return true
      seen = found
    }
    return false
  }
  return {
    mayTake: () => left(Atomics.load(cells, 0), thisSecond()),
    share: (parent) => ((parent === undefined || parent.sampled) && take() ? 1 : 0),
    below: 1,
  }
}

const HIGH_63 = 2 ** 63

/** As Go's `TraceIDRatioBased`: by the upper 63 of the trace id's last 64 bits. */
export function traceIdFits(traceId: string, ratio: number): boolean {
  if (ratio >= 1) return true
  return Number(BigInt(`0x${traceId.slice(16)}`) >> 1n) < ratio * HIGH_63
}
