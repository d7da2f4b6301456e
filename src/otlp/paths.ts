import type { Signal } from './batch.ts'

/**
 * Tags that lead from a request to its items, level by level; LEN tags are number << 3 | 2. Metrics have five kinds of
 * data below a metric, hence lists.
 */
export const PATHS: Readonly<Record<Signal, readonly (readonly number[])[]>> = {
  traces: [[10], [18], [18]],
  logs: [[10], [18], [18]],
  metrics: [[10], [18], [18], [42, 58, 74, 82, 90], [10]],
  profiles: [[10], [18], [18], [18]],
}

/** Level of a metric's content: its data is a oneof, of which only one member counts. */
export const METRIC_LEVEL = 3
