import type { Load } from './load.ts'

/**
 * Who runs a pipeline: Sluice itself, the Go Collector that the interop tests talk to, with the same configuration, or a baseline
 * of `baselines/` with its arguments after the two ports.
 */
export type Engine = 'sluice' | 'otelcol' | 'protobufjs' | 'grpc-raw'

/** CPU per item at a steady load, engines side by side. */
export interface Throughput {
  readonly kind: 'throughput'
  readonly name: string
  readonly summary: string
  readonly load: Load
  readonly engines: readonly Engine[]
  /** What the baseline is told to do. */
  readonly mode: 'pass' | 'edit'
  /** Lines below `processors:` of Sluice's configuration, and the pipeline's list of them. */
  readonly processors: Readonly<Record<string, unknown>>
  /** Sluice has to be this many times cheaper; none where the case is for the record only. */
  readonly targets: readonly { readonly than: Engine; readonly times: number }[]
}

/** Time from exec to the first port that accepts. */
export interface Start {
  readonly kind: 'start'
  readonly name: string
  readonly summary: string
  readonly runs: number
  readonly atMostMs: number
}

/** JavaScript heap allocated per request, for two requests of one size in bytes and different numbers of records. */
export interface Allocation {
  readonly kind: 'allocation'
  readonly name: string
  readonly summary: string
  readonly loads: readonly [few: Load, many: Load]
  /** Heap bytes that one more record may cost. */
  readonly atMostPerItem: number
}

export type Case = Throughput | Start | Allocation

const SPANS: Load = { spans: 1000, spanBytes: 640, connections: 4, inFlight: 4 }

/** As the Collector's figures are usually given: large spans with many attributes and an event, a thousand a request. */
const LARGE_SPANS: Load = { spans: 1000, spanBytes: 812, full: true, connections: 4, inFlight: 4 }

const EDITS = {
  'attributes/insert': { actions: [{ key: 'cluster', value: 'bench-1', action: 'insert' }] },
  'attributes/update': { actions: [{ key: 'server.address', value: 'redacted', action: 'update' }] },
  'attributes/upsert': { actions: [{ key: 'url.scheme', value: 'http', action: 'upsert' }] },
  'attributes/delete': { actions: [{ key: 'user_agent.original', action: 'delete' }] },
  batch: {},
}

export const CASES: readonly Case[] = [
  {
    kind: 'throughput',
    name: 'pass',
    summary: 'spans in by gRPC and out by gRPC, nothing in between, no queue, no compression',
    load: SPANS,
    engines: ['sluice', 'protobufjs', 'grpc-raw'],
    mode: 'pass',
    processors: {},
    targets: [
      { than: 'protobufjs', times: 8 },
      { than: 'grpc-raw', times: 2 },
    ],
  },
  {
    kind: 'throughput',
    name: 'edit',
    summary: 'the same through four attributes processors (insert, update, upsert, delete) and batch',
    load: SPANS,
    engines: ['sluice', 'protobufjs'],
    mode: 'edit',
    processors: EDITS,
    targets: [{ than: 'protobufjs', times: 8 }],
  },
  {
    kind: 'throughput',
    name: 'collector',
    summary:
      'beside the Go Collector with the same configuration: spans of 812 bytes, 1000 a request, gRPC to gRPC, no queue',
    load: LARGE_SPANS,
    engines: ['sluice', 'otelcol'],
    mode: 'pass',
    processors: {},
    targets: [{ than: 'otelcol', times: 4 }],
  },
  {
    kind: 'throughput',
    name: 'collector-pass',
    summary: 'the same with the load of pass',
    load: SPANS,
    engines: ['sluice', 'otelcol'],
    mode: 'pass',
    processors: {},
    targets: [{ than: 'otelcol', times: 4 }],
  },
  {
    kind: 'throughput',
    name: 'collector-small',
    summary: 'the same with 10 spans of one resource a request, 16 in flight on each connection; for the record',
    load: { ...LARGE_SPANS, spans: 10, resources: 1, inFlight: 16 },
    engines: ['sluice', 'otelcol'],
    mode: 'pass',
    processors: {},
    targets: [],
  },
  {
    kind: 'start',
    name: 'start',
    summary: 'from exec of ./sluice to the first port that accepts',
    runs: 5,
    atMostMs: 400,
  },
  {
    kind: 'allocation',
    name: 'allocation',
    summary: 'JavaScript heap per request of 640 kB on the pass-through path: 100 spans against 1000',
    loads: [
      { ...SPANS, spans: 100, spanBytes: 6400 },
      { ...SPANS, spans: 1000, spanBytes: 640 },
    ],
    // The smallest object takes 16 bytes: below half of that, no record has one to itself, and the rest is noise.
    atMostPerItem: 8,
  },
]
