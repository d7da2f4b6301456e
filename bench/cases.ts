/** What is measured, as data. */
import type { Engine } from './engines.ts'
import type { Load, SinkOptions } from './load/protocol.ts'
import type { FigureName } from './report/figures.ts'

/** What a figure of Sluice has to be, alone or beside another engine's of the same repeat. */
export type Target =
  | { readonly figure: FigureName; readonly atMost: number }
  | { readonly figure: FigureName; readonly atLeast: number }
  | { readonly figure: FigureName; readonly than: Engine; readonly atLeastTimes: number }
  | { readonly figure: FigureName; readonly than: Engine; readonly atMostTimes: number }

interface Common {
  readonly name: string
  readonly summary: string
  /** A file of `pipelines/`, without its ending. */
  readonly pipeline: string
  readonly engines: readonly Engine[]
  readonly targets: readonly Target[]
  /** Only run where it is named. */
  readonly byHand?: true
}

interface Loaded extends Common {
  readonly load: Load
  /** Of the sink; by the protocol of the load, and without a limit, if absent. */
  readonly sink?: SinkOptions
  /**
   * What has to agree once the load has drained. `exact`: sent, acknowledged and delivered, and no request was refused.
   * `kept`: nothing acknowledged is missing; what was refused may be retried.
   */
  readonly accounting: 'exact' | 'kept'
}

/** CPU per item, latency and memory at a steady load, engines side by side. */
export interface Throughput extends Loaded {
  readonly kind: 'throughput'
  /** Also run by `--generator`. */
  readonly headline?: true
}

/** More than the sink takes: first what it takes just so, then all that the clients can, then nothing. */
export interface Overload extends Loaded {
  readonly kind: 'overload'
  readonly sink: SinkOptions & { readonly itemsPerSecond: number }
}

/** Less than the engine can do, for minutes. */
export interface Soak extends Loaded {
  readonly kind: 'soak'
  /** Of what a core does of the same load as fast as it is answered, measured before. */
  readonly shareOfACore: number
}

/** Time from exec to the first port that accepts. */
export interface Start extends Common {
  readonly kind: 'start'
}

/** Memory and CPU of an engine that has nothing to do. */
export interface Idle extends Common {
  readonly kind: 'idle'
}

/** JavaScript heap allocated per request, for two requests of one size in bytes and different numbers of records. */
export interface Allocation extends Common {
  readonly kind: 'allocation'
  readonly loads: readonly [few: Load, many: Load]
  /** Heap bytes that one more record may cost. */
  readonly atMostPerItem: number
}

export type Case = Throughput | Overload | Soak | Start | Idle | Allocation

const SPANS: Load = {
  signal: 'traces',
  protocol: 'grpc',
  items: 1000,
  itemBytes: 812,
  full: true,
  connections: 4,
  inFlight: 4,
}
const HTTP: Load = { ...SPANS, protocol: 'http', connections: 16, inFlight: 1 }
const LOGS = { signal: 'logs', itemBytes: 333 } as const
const POINTS = { signal: 'metrics', itemBytes: 182 } as const
const SMALL = { items: 10, resources: 1 } as const
const LIGHT: Load = { signal: 'traces', protocol: 'grpc', items: 1000, itemBytes: 640, connections: 4, inFlight: 4 }
const GZIP: Load = { ...SPANS, compression: 'gzip' }
const CROWD: Load = { ...SPANS, connections: 64, inFlight: 16, pauseMs: 100 }
/** Half of what the Collector of one core does: 230 k spans a second. */
const HALF_THE_KNEE = 115_000

const BESIDE: readonly Engine[] = ['sluice', 'otelcol']
const BESIDE_ALL: readonly Engine[] = ['sluice', 'otelcol', 'otelcol-gogc400', 'rotel']
const times = (atLeastTimes: number, than: Engine = 'otelcol'): Target => ({
  figure: 'items_per_cpu_s',
  than,
  atLeastTimes,
})

/** What is delivered does not fall and memory does not rise when more comes than the sink takes. */
const FLAT: readonly Target[] = [
  { figure: 'delivered_share', atLeast: 0.95 },
  { figure: 'rss_over_knee', atMost: 1.2 },
  { figure: 'rss_after_over_idle', atMost: 1.5 },
  { figure: 'refused_with_delay_share', atLeast: 1 },
]

export const CASES: readonly Case[] = [
  {
    kind: 'throughput',
    name: 'spans-grpc',
    summary: 'spans of 812 bytes, 1000 a request, gRPC to gRPC, nothing in between, no queue',
    pipeline: 'grpc',
    load: SPANS,
    accounting: 'exact',
    engines: BESIDE_ALL,
    targets: [times(6), times(4.8, 'otelcol-gogc400'), { figure: 'peak_rss_mib', atMost: 200 }],
    headline: true,
  },
  {
    kind: 'throughput',
    name: 'spans-grpc-batch-queue',
    summary: 'the same with the batch processor and the usual sending queue',
    pipeline: 'grpc-batch-queue',
    load: SPANS,
    accounting: 'kept',
    engines: BESIDE,
    targets: [times(5.5)],
  },
  {
    kind: 'throughput',
    name: 'spans-http',
    summary: 'spans HTTP to HTTP, 16 connections',
    pipeline: 'http',
    load: HTTP,
    accounting: 'exact',
    engines: [...BESIDE, 'rotel'],
    targets: [times(6)],
  },
  {
    kind: 'throughput',
    name: 'logs-grpc',
    summary: 'log records of 333 bytes, gRPC to gRPC',
    pipeline: 'grpc',
    load: { ...SPANS, ...LOGS },
    accounting: 'exact',
    engines: [...BESIDE, 'rotel'],
    targets: [times(4)],
  },
  {
    kind: 'throughput',
    name: 'logs-http',
    summary: 'log records HTTP to HTTP',
    pipeline: 'http',
    load: { ...HTTP, ...LOGS },
    accounting: 'exact',
    engines: [...BESIDE, 'rotel'],
    targets: [times(5)],
  },
  {
    kind: 'throughput',
    name: 'points-grpc',
    summary: 'data points of 182 bytes, gRPC to gRPC',
    pipeline: 'grpc',
    load: { ...SPANS, ...POINTS },
    accounting: 'exact',
    engines: BESIDE,
    targets: [times(4)],
  },
  {
    kind: 'throughput',
    name: 'spans-attributes',
    summary: 'spans gRPC to gRPC through attributes: insert, update, delete, hash; 2 % with an e-mail address',
    pipeline: 'grpc-attributes',
    load: { ...SPANS, piiShare: 0.02 },
    accounting: 'exact',
    engines: BESIDE,
    targets: [times(4)],
  },
  {
    kind: 'throughput',
    name: 'spans-gzip',
    summary: 'spans gRPC to gRPC, gzip in and out, untouched',
    pipeline: 'grpc-gzip',
    load: GZIP,
    accounting: 'exact',
    engines: [...BESIDE, 'rotel'],
    targets: [times(8)],
  },
  {
    kind: 'throughput',
    name: 'spans-gzip-attributes',
    summary: 'spans gRPC to gRPC, gzip in and out, with the four edits',
    pipeline: 'grpc-gzip-attributes',
    load: GZIP,
    accounting: 'exact',
    engines: BESIDE,
    targets: [times(2.5), { figure: 'out_bytes_per_item', than: 'otelcol', atMostTimes: 1.15 }],
  },
  {
    kind: 'throughput',
    name: 'spans-zstd',
    summary: 'spans gRPC in with zstd, out without; for the record',
    pipeline: 'grpc',
    load: { ...SPANS, compression: 'zstd' },
    accounting: 'exact',
    engines: BESIDE,
    targets: [],
  },
  {
    kind: 'throughput',
    name: 'spans-many-clients',
    summary: 'spans gRPC to gRPC from 64 connections with one request in flight on each; for the record',
    pipeline: 'grpc',
    load: { ...SPANS, connections: 64, inFlight: 1 },
    accounting: 'exact',
    engines: BESIDE,
    targets: [],
  },
  {
    kind: 'throughput',
    name: 'spans-small-grpc',
    summary: '10 spans of one resource a request, gRPC to gRPC, 16 in flight on each of 4 connections',
    pipeline: 'grpc',
    load: { ...SPANS, ...SMALL, inFlight: 16 },
    accounting: 'exact',
    engines: [...BESIDE, 'rotel'],
    targets: [times(1.8)],
    headline: true,
  },
  {
    kind: 'throughput',
    name: 'spans-small-http',
    summary: '10 spans of one resource a request, HTTP/1.1, 32 connections',
    pipeline: 'http',
    load: { ...HTTP, ...SMALL, connections: 32 },
    accounting: 'exact',
    engines: BESIDE,
    targets: [times(3)],
  },
  {
    kind: 'throughput',
    name: 'latency-open-loop',
    summary: '116 k spans a second whatever the answers do, 64 in flight at most; latency from the time each was due',
    pipeline: 'grpc',
    load: { ...SPANS, inFlight: 16, itemsPerSecond: 116_000 },
    accounting: 'exact',
    engines: BESIDE,
    targets: [
      { figure: 'p50_ms', atMost: 2 },
      { figure: 'p99_ms', atMost: 15 },
    ],
  },
  {
    kind: 'throughput',
    name: 'latency-one',
    summary: 'one request of 1000 spans in flight',
    pipeline: 'grpc',
    load: { ...SPANS, connections: 1, inFlight: 1 },
    accounting: 'exact',
    engines: BESIDE,
    targets: [
      { figure: 'p50_ms', atMost: 1.5 },
      { figure: 'p99_ms', atMost: 7 },
    ],
  },
  {
    kind: 'overload',
    name: 'overload',
    summary: '64 connections with 16 requests in flight, usual sending queue, sink of 115 k spans a second',
    pipeline: 'grpc-queue',
    load: CROWD,
    sink: { protocol: 'grpc', itemsPerSecond: HALF_THE_KNEE },
    accounting: 'kept',
    engines: BESIDE,
    targets: FLAT,
  },
  {
    kind: 'overload',
    name: 'overload-limiter',
    summary: 'the same behind memory_limiter with 512 MiB',
    pipeline: 'grpc-queue-limiter',
    load: CROWD,
    sink: { protocol: 'grpc', itemsPerSecond: HALF_THE_KNEE },
    accounting: 'kept',
    engines: BESIDE,
    targets: [
      { figure: 'delivered_share', atLeast: 0.95 },
      { figure: 'peak_rss_mib', atMost: 600 },
      { figure: 'refused_with_delay_share', atLeast: 1 },
    ],
  },
  {
    kind: 'overload',
    name: 'overload-large',
    summary: 'requests of 4 MB, a little below what a gRPC server takes by default, of as many clients',
    pipeline: 'grpc-queue',
    load: { ...CROWD, items: 5000 },
    sink: { protocol: 'grpc', itemsPerSecond: HALF_THE_KNEE },
    accounting: 'kept',
    engines: ['sluice'],
    targets: FLAT,
  },
  {
    kind: 'overload',
    name: 'overload-expanding',
    summary: 'requests of 4 MB that come in a hundredth of it, by gzip',
    pipeline: 'grpc-queue',
    load: { ...CROWD, items: 200, itemBytes: 20_000, compression: 'gzip' },
    // As many bytes as the others take.
    sink: { protocol: 'grpc', itemsPerSecond: 5000 },
    accounting: 'kept',
    engines: ['sluice'],
    targets: FLAT,
  },
  {
    kind: 'start',
    name: 'start',
    summary: 'from exec to the first port that accepts',
    pipeline: 'grpc',
    engines: BESIDE,
    targets: [{ figure: 'start_ms', atMost: 300 }],
  },
  {
    kind: 'idle',
    name: 'idle',
    summary: 'nothing to do: memory and CPU',
    pipeline: 'grpc',
    engines: BESIDE,
    targets: [
      { figure: 'peak_rss_mib', atMost: 110 },
      { figure: 'cpu_percent', atMost: 0.3 },
    ],
  },
  {
    kind: 'throughput',
    name: 'pass',
    summary: 'spans of 640 bytes, gRPC to gRPC, beside the usual ways to build it in Node',
    pipeline: 'first-light',
    load: LIGHT,
    accounting: 'exact',
    engines: ['sluice', 'protobufjs', 'grpc-raw'],
    targets: [times(8, 'protobufjs'), times(2, 'grpc-raw')],
  },
  {
    kind: 'throughput',
    name: 'edit',
    summary: 'the same through four attributes processors (insert, update, upsert, delete) and batch',
    pipeline: 'first-light-edit',
    load: LIGHT,
    accounting: 'exact',
    engines: ['sluice', 'protobufjs'],
    targets: [times(8, 'protobufjs')],
  },
  {
    kind: 'throughput',
    name: 'spans-two-lanes',
    summary: 'spans-grpc in two lanes of one core, beside one lane: what a second one costs an item',
    pipeline: 'grpc',
    load: SPANS,
    // A lane with more than its share of connections asks some to come again: what it had not begun is not acknowledged.
    accounting: 'kept',
    engines: ['sluice', 'sluice-two-lanes'],
    // Two lanes take at most 1.15 times what one takes.
    targets: [{ figure: 'cpu_us_per_item', than: 'sluice-two-lanes', atLeastTimes: 0.87 }],
  },
  {
    kind: 'allocation',
    name: 'allocation',
    summary: 'JavaScript heap per request of 640 kB on the pass-through path: 100 spans against 1000',
    pipeline: 'first-light',
    engines: ['sluice'],
    targets: [],
    loads: [
      { ...LIGHT, items: 100, itemBytes: 6400 },
      { ...LIGHT, items: 1000, itemBytes: 640 },
    ],
    // The smallest object takes 16 bytes: below half of that, no record has one to itself, and the rest is noise.
    atMostPerItem: 8,
  },
  {
    kind: 'soak',
    name: 'soak',
    summary: 'half of what a core does of spans-grpc, as an open loop, for --minutes; does memory grow?',
    pipeline: 'grpc',
    load: SPANS,
    shareOfACore: 0.5,
    accounting: 'exact',
    engines: ['sluice'],
    targets: [{ figure: 'rss_growth', atMost: 1.1 }],
    byHand: true,
  },
]
