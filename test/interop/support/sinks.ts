import { type Peer, pathOf, source } from '../peers/peer.ts'
import { python, rustSink } from '../peers/registry.ts'
import { type RunningPeer, startPeer } from './peers.ts'

export interface Sink extends RunningPeer {
  /** `host:port` of its gRPC server. */
  readonly grpc: string
  /** `host:port` of its HTTP server, where it has one. */
  readonly http?: string
}

/**
 * Servers in other languages. Each writes a request with the header `x-case: NAME` to `NAME.SIGNAL.bin` in its folder, for
 * `readRecords`, and a line with its encoding, where it can tell, to `NAME.SIGNAL.encoding`.
 */
export const SINKS: readonly {
  readonly peer: Peer
  /** What it takes: protocol and compression. */
  readonly takes: readonly (readonly ['grpc' | 'http', string])[]
  /** Protocols of which it can tell the encoding. */
  readonly tells: readonly string[]
  readonly start: (folder: string) => Promise<Sink>
}[] = [
  {
    peer: python,
    takes: [
      ...by('grpc', ['none', 'gzip']),
      ...by('http', ['none', 'gzip', 'zstd', 'snappy', 'x-snappy-framed', 'zlib', 'deflate', 'lz4']),
    ],
    tells: ['http'],
    start: (folder) => startSink(pathOf(python), [source('python/sink.py'), folder]),
  },
  {
    peer: rustSink,
    takes: by('grpc', ['none', 'gzip', 'zstd']),
    tells: ['grpc'],
    start: (folder) => startSink(pathOf(rustSink), [folder]),
  },
]

async function startSink(binary: string, args: readonly string[]): Promise<Sink> {
  const sink = await startPeer(binary, args, (output) => /^listening ([\d ]+)\n/m.exec(output)?.[1])
  const [grpc, http] = sink.found.split(' ').map((port) => `127.0.0.1:${port}`)
  return { ...sink, grpc: grpc!, ...(http !== undefined && { http }) }
}

function by<P extends 'grpc' | 'http'>(protocol: P, compressions: readonly string[]): (readonly [P, string])[] {
  return compressions.map((compression) => [protocol, compression])
}
