import { type Peer, pathOf, source } from '../peers/peer.ts'
import { goSdk, javaSdk, python } from '../peers/registry.ts'

/**
 * Clients on the SDKs of other languages. Each takes `grpc|http none|gzip HOST:PORT...`, sends the same telemetry to every
 * target, and prints how many spans, metrics and log records that were, as `{"traces": 3, "metrics": 5, "logs": 3}`.
 */
export const CLIENTS: readonly { readonly peer: Peer; readonly command: () => readonly [string, ...string[]] }[] = [
  { peer: goSdk, command: () => [pathOf(goSdk)] },
  { peer: python, command: () => [pathOf(python), source('python/client.py')] },
  {
    peer: javaSdk,
    // A process that lives for a second: what makes a JVM start fast.
    command: () => {
      const fast = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto']
      return ['java', ...fast, '-cp', `${pathOf(javaSdk, 'lib')}/*:${pathOf(javaSdk, '.')}`, 'Client']
    },
  },
]
