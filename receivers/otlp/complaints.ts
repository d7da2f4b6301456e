import type { ComponentContext } from '../../src/component/contracts.ts'
import type { Complaint } from '../../src/transport/misdirected.ts'

const MINUTE_MS = 60_000
/** Kinds of complaint that are told apart: there are few, but error codes are not ours to count. */
const KINDS = 50

/** Logs connections that come to nothing: each kind once a minute, with how many there were since. */
export function complaints({ clock, log }: Pick<ComponentContext, 'clock' | 'log'>, transport: string): Complaint {
  const kinds = new Map<string, { at: number; since: number }>()
  return (peer, text) => {
    const now = clock.now()
    const kind = kinds.get(text)
    if (kind !== undefined && now - kind.at < MINUTE_MS) {
      kind.since++
      return
    }
    if (kind === undefined && kinds.size === KINDS) return
    const more = kind === undefined || kind.since === 0 ? '' : `; so did ${kind.since} more since the last such line`
    kinds.set(text, { at: now, since: 0 })
    log.warn({ transport, peer }, `the client at ${peer} ${text}${more}`)
  }
}
