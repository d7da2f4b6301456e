import type { ComponentContext } from '../../src/component/contracts.ts'
import { Spokesman } from '../../src/telemetry/spokesman.ts'
import type { Complaint } from '../../src/transport/misdirected.ts'

const MINUTE_MS = 60_000
/** Kinds of complaint that are told apart: there are few, but error codes are not ours to count. */
const KINDS = 50

type Context = Pick<ComponentContext, 'clock' | 'lane' | 'log' | 'shared'>

/** Logs connections that come to nothing: each kind once a minute, by one lane, with how many there were since. */
export function complaints({ clock, lane, log, shared }: Context, transport: string): Complaint {
  const spokesman = new Spokesman(shared(`complaints ${transport}`), lane.index)
  const kinds = new Map<string, { at: number; since: number }>()
  return (peer, text) => {
    const now = clock.now()
    const kind = kinds.get(text)
    if (kind !== undefined && now - kind.at < MINUTE_MS) {
      kind.since++
      return
    }
    if (kind === undefined && kinds.size === KINDS) return
    if (!spokesman.speaks(text, now)) {
      kinds.set(text, { at: kind?.at ?? Number.NEGATIVE_INFINITY, since: (kind?.since ?? 0) + 1 })
      return
    }
    const more = kind === undefined || kind.since === 0 ? '' : `; so did ${kind.since} more since the last such line`
    kinds.set(text, { at: now, since: 0 })
    log.warn({ transport, peer }, `the client at ${peer} ${text}${more}`)
  }
}
