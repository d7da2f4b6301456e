import type { Encoding } from './compression.ts'

/** Compressions by the names of `grpc-encoding`. */
export type GrpcEncoding = 'gzip' | 'zstd' | 'snappy' | 'deflate'

/** What each is. Under `snappy` the Collector sends and takes the stream of chunks, never a block. */
export const GRPC_ENCODINGS: Readonly<Record<GrpcEncoding, Encoding>> = {
  gzip: 'gzip',
  zstd: 'zstd',
  snappy: 'x-snappy-framed',
  deflate: 'deflate',
}

/** What a server can take, for `grpc-accept-encoding`. */
export const GRPC_ACCEPT_ENCODING = ['identity', ...Object.keys(GRPC_ENCODINGS)].join(',')
