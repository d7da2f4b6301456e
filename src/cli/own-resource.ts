import { randomUUID } from 'node:crypto'
import { version } from '../version.ts'

/**
 * The attributes of this process itself: the three that the Collector has on its own, and `service.telemetry.resource`
 * over them, where null takes one away.
 */
export function ownResource(configured: Readonly<Record<string, string | null>>): Record<string, string> {
  const all = {
    'service.name': 'sluice',
    'service.version': version(),
    'service.instance.id': randomUUID(),
    ...configured,
  }
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null))
}
