import { type Peer, pathOf } from '../peers/peer.ts'
import { goSdk } from '../peers/registry.ts'

/**
 * Clients on the SDKs of other languages. Each takes `grpc|http none|gzip HOST:PORT...`, sends the same telemetry to every
 * target, and prints how many spans, metrics and log records that were, as `{"traces": 3, "metrics": 5, "logs": 3}`.
 */
export const CLIENTS: readonly { readonly peer: Peer; readonly command: () => readonly [string, ...string[]] }[] = [
  { peer: goSdk, command: () => [pathOf(goSdk)] },
]
