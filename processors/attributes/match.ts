import { isDeepStrictEqual } from 'node:util'
import { fromYaml } from '../../src/component/attribute-actions.ts'
import type {
  Attributes,
  LogCursor,
  MetricCursor,
  ResourceCursor,
  ScopeCursor,
  SpanCursor,
  ValueCursor,
} from '../../src/otlp/cursors.ts'
import { Key } from '../../src/otlp/key.ts'
import { valueText } from '../../src/otlp/value-text.ts'
import { type MatchConfig, SPAN_KINDS } from './match-config.ts'
import { equal, TextSet } from './text-set.ts'

type Predicate<T> = (subject: T) => boolean

/**
 * One side, `include` or `exclude`, as a predicate per level; a record matches where all of them hold. Undefined where
 * the configuration has nothing to say at that level.
 */
export interface Match {
  readonly resource: Predicate<ResourceCursor> | undefined
  readonly scope: Predicate<ScopeCursor> | undefined
  readonly metric: Predicate<MetricCursor> | undefined
  readonly span: Predicate<SpanCursor> | undefined
  readonly log: Predicate<LogCursor> | undefined
}

export function compileMatch(config: MatchConfig): Match {
  const has = attributesMatch(config.attributes)
  return {
    resource: all(
      serviceMatch(config.services),
      on(attributesMatch(config.resources), (r) => r.attributes),
    ),
    scope: scopeMatch(config.libraries),
    metric: textMatch(config.metric_names, (metric) => metric.name),
    span: all(
      textMatch<SpanCursor>(config.span_names, (span) => span.name),
      kindMatch(config.span_kinds),
      on(has, (span) => span.attributes),
    ),
    log: all(
      bodyMatch(config.log_bodies),
      textMatch<LogCursor>(config.log_severity_texts, (log) => log.severityText),
      severityMatch(config.log_severity_number),
      on(has, (log) => log.attributes),
    ),
  }
}

function all<T>(...predicates: (Predicate<T> | undefined)[]): Predicate<T> | undefined {
  const given = predicates.filter((predicate) => predicate !== undefined)
  return given.length < 2 ? given[0] : (subject) => given.every((predicate) => predicate(subject))
}

function on<T, U>(predicate: Predicate<U> | undefined, part: (subject: T) => U): Predicate<T> | undefined {
  return predicate && ((subject) => predicate(part(subject)))
}

function textMatch<T>(
  texts: readonly string[] | undefined,
  part: (subject: T) => { readonly buffer: Uint8Array; readonly start: number; readonly end: number },
): Predicate<T> | undefined {
  if (!texts?.length) return undefined
  const set = new TextSet(texts)
  return (subject) => set.has(part(subject))
}

/** A value of another type is compared by its text, as the Collector does. */
function hasValue(set: TextSet, value: ValueCursor): boolean {
  return value.kind === 'string' ? set.has(value) : set.hasText(valueText(value.plain()))
}

const SERVICE_NAME = Key.of('service.name')
/** What a resource without service.name is called in `services`. */
const NO_SERVICE = '<nil-service-name>'

function serviceMatch(services: MatchConfig['services']): Predicate<ResourceCursor> | undefined {
  if (!services?.length) return undefined
  const set = new TextSet(services)
  const nameless = services.includes(NO_SERVICE)
  return ({ attributes }) => {
    const name = attributes.get(SERVICE_NAME)
    return name === undefined ? nameless : hasValue(set, name)
  }
}

function bodyMatch(bodies: MatchConfig['log_bodies']): Predicate<LogCursor> | undefined {
  if (!bodies?.length) return undefined
  const set = new TextSet(bodies)
  return (log) => hasValue(set, log.body)
}

function kindMatch(kinds: MatchConfig['span_kinds']): Predicate<SpanCursor> | undefined {
  if (!kinds?.length) return undefined
  const numbers = new Set(kinds.map((kind) => SPAN_KINDS.indexOf(kind)))
  return (span) => numbers.has(span.kind)
}

function severityMatch(config: MatchConfig['log_severity_number']): Predicate<LogCursor> | undefined {
  if (config === undefined) return undefined
  const { min, match_undefined: matchUndefined } = config
  return ({ severityNumber }) => (severityNumber === 0 ? matchUndefined : severityNumber >= min)
}

function scopeMatch(libraries: MatchConfig['libraries']): Predicate<ScopeCursor> | undefined {
  if (!libraries?.length) return undefined
  const scopes = libraries.map(({ name, version }) => ({ name: new TextEncoder().encode(name), version }))
  return (scope) =>
    scopes.every(
      ({ name, version }) => equal(scope.name, name) && (version === undefined || scope.versionText() === version),
    )
}

function attributesMatch(wanted: MatchConfig['attributes']): Predicate<Attributes> | undefined {
  if (!wanted?.length) return undefined
  const tests = wanted.map(({ key, value }) => ({ key: Key.of(key), holds: valueMatch(value) }))
  return (attributes) =>
    tests.every(({ key, holds }) => {
      const value = attributes.get(key)
      return value !== undefined && holds(value)
    })
}

function valueMatch(wanted: unknown): Predicate<ValueCursor> {
  if (wanted === undefined || wanted === null) return () => true
  if (typeof wanted === 'string') {
    const bytes = new TextEncoder().encode(wanted)
    return (value) => value.kind === 'string' && equal(value, bytes)
  }
  const plain = fromYaml(wanted)
  return (value) => isDeepStrictEqual(value.plain(), plain)
}
