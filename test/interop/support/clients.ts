import { type Peer, pathOf, source } from '../peers/peer.ts'
import { goSdk, javaSdk, python } from '../peers/registry.ts'

/**
 * Clients on the SDKs of other languages. Each takes `none|gzip:grpc|http|json=HOST:PORT...`, sends the same telemetry to every
 * target, and prints how many spans, metrics and log records that were, as `{"traces": 3, "metrics": 5, "logs": 3}`.
 */
export const CLIENTS: readonly {
  readonly peer: Peer
  readonly protocols: readonly ('grpc' | 'http' | 'json')[]
  readonly command: () => readonly [string, ...string[]]
}[] = [
  { peer: goSdk, protocols: ['grpc', 'http', 'json'], command: () => [pathOf(goSdk)] },
  {
    peer: python,
    protocols: ['grpc', 'http', 'json'],
    command: () => [pathOf(python), source('python/client.py')],
  },
  {
    peer: javaSdk,
    // Its exporters have no JSON.
    protocols: ['grpc', 'http'],
    // A process that lives for a second: what makes a JVM start fast.
    command: () => {
      const fast = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto']
      return ['java', ...fast, '-cp', `${pathOf(javaSdk, 'lib')}/*:${pathOf(javaSdk, '.')}`, 'Client']
    },
  },
]
