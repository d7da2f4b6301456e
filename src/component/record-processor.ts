import type {
  DataPointCursor,
  LogCursor,
  MetricCursor,
  ResourceCursor,
  ScopeCursor,
  SpanCursor,
} from '../otlp/cursors.ts'

/** The levels of an OTLP request, outermost first. A `metric` is between a scope and its data points. */
export type Level = 'resource' | 'scope' | 'metric' | 'record'

/** What one hook touches. Dropping counts as a write to the hook's level and all below. */
export interface Access {
  readonly reads: readonly Level[]
  readonly writes: readonly Level[]
}

/**
 * Functions over cursors, called once per resource, scope, metric and record in the order they stand. A cursor is
 * valid only during the call. Each processor sees the edits of the ones before it.
 *
 * `access` has an entry for every hook that is there: fusion reorders hooks of different levels (a later processor's
 * resource hook runs before an earlier one's record hook) only where no entry conflicts, else it begins a new pass.
 */
export interface RecordProcessor {
  readonly access: Partial<Record<Level, Access>>
  resource?(resource: ResourceCursor): void
  scope?(scope: ScopeCursor): void
  span?(span: SpanCursor): void
  log?(log: LogCursor): void
  metric?(metric: MetricCursor): void
  dataPoint?(point: DataPointCursor): void
  /** Called when the pass succeeded and its output left, with what state may now count; not called for an aborted one. */
  commit?(): void
  /** Called instead of `commit` when the pass was given up. */
  abort?(): void
}
