import type { RecordProcessor } from '../../src/component/record-processor.ts'
import type { LogCursor, MetricCursor, ResourceCursor, ScopeCursor, SpanCursor } from '../../src/otlp/cursors.ts'
import { compileMatch, type Match } from './match.ts'
import type { MatchConfig } from './match-config.ts'

/**
 * Which records are edited: those that `include` matches, but for those that `exclude` matches.
 *
 * What is asked of a resource, a scope or a metric is asked once, in the hook of that level, and remembered for the
 * records below. So a later processor may edit resources in the same pass: the answer was taken before.
 */
export class Selection {
  readonly #include: Side | undefined
  readonly #exclude: Side | undefined

  constructor(include: MatchConfig | undefined, exclude: MatchConfig | undefined) {
    this.#include = include && new Side(include)
    this.#exclude = exclude && new Side(exclude)
  }

  /** The hooks above the record's that this selection needs. */
  get hooks(): Pick<RecordProcessor, 'resource' | 'scope' | 'metric'> {
    const sides = this.#sides
    return {
      ...(sides.some(({ match }) => match.resource) && {
        resource: (resource: ResourceCursor) => {
          for (const side of sides) side.seeResource(resource)
        },
      }),
      ...(sides.some(({ match }) => match.scope) && {
        scope: (scope: ScopeCursor) => {
          for (const side of sides) side.seeScope(scope)
        },
      }),
      ...(sides.some(({ match }) => match.metric) && {
        metric: (metric: MetricCursor) => {
          for (const side of sides) side.seeMetric(metric)
        },
      }),
    }
  }

  get access(): RecordProcessor['access'] {
    return Object.fromEntries(
      Object.keys(this.hooks).map((level) => [level, { reads: [level], writes: [] }]),
    ) as RecordProcessor['access']
  }

  hasSpan(span: SpanCursor): boolean {
    return (this.#include?.hasSpan(span) ?? true) && !this.#exclude?.hasSpan(span)
  }

  hasLog(log: LogCursor): boolean {
    return (this.#include?.hasLog(log) ?? true) && !this.#exclude?.hasLog(log)
  }

  hasDataPoint(): boolean {
    return (this.#include?.above ?? true) && !this.#exclude?.above
  }

  get #sides(): Side[] {
    return [this.#include, this.#exclude].filter((side) => side !== undefined)
  }
}

/** One side and what it found at the levels above the record under the cursor. */
class Side {
  readonly match: Match
  #resource = true
  #scope = true
  #metric = true

  constructor(config: MatchConfig) {
    this.match = compileMatch(config)
  }

  seeResource(resource: ResourceCursor): void {
    this.#resource = this.match.resource?.(resource) ?? true
  }

  seeScope(scope: ScopeCursor): void {
    this.#scope = this.match.scope?.(scope) ?? true
  }

  seeMetric(metric: MetricCursor): void {
    this.#metric = this.match.metric?.(metric) ?? true
  }

  get above(): boolean {
    return this.#resource && this.#scope && this.#metric
  }

  hasSpan(span: SpanCursor): boolean {
    return this.above && (this.match.span?.(span) ?? true)
  }

  hasLog(log: LogCursor): boolean {
    return this.above && (this.match.log?.(log) ?? true)
  }
}
