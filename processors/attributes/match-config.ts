import type { ConfigProblem } from '../../src/component/define.ts'
import { field, type ValueOf } from '../../src/config/field.ts'
import type { Signal } from '../../src/otlp/batch.ts'

const attribute = (doc: string) =>
  field.object(
    doc,
    {
      key: field.string('The attribute that has to be there.', { required: true }),
      value: field.any('The value it must have, of the same type; absent: any.'),
    },
    { required: true },
  )

/** SpanKind as the OTLP schema spells it, in the order of its numbers. */
export const SPAN_KINDS = [
  'SPAN_KIND_UNSPECIFIED',
  'SPAN_KIND_INTERNAL',
  'SPAN_KIND_SERVER',
  'SPAN_KIND_CLIENT',
  'SPAN_KIND_PRODUCER',
  'SPAN_KIND_CONSUMER',
] as const

const text = (doc: string) => field.string(doc, { required: true })

/** The properties of `include` and `exclude`. */
export function matchField(doc: string) {
  return field.object(doc, {
    match_type: field.enum('How strings are compared.', ['strict', 'regexp'], { required: true }),
    services: field.list('Traces: `service.name` of the resource is one of these.', text('A service name.')),
    span_names: field.list('Traces: the span’s name is one of these.', text('A span name.')),
    span_kinds: field.list(
      'Traces: the span’s kind is one of these.',
      field.enum('A span kind.', SPAN_KINDS.slice(1), { required: true }),
    ),
    log_bodies: field.list('Logs: the body is one of these.', text('A log body.')),
    log_severity_texts: field.list('Logs: the severity text is one of these.', text('A severity text.')),
    log_severity_number: field.object('Logs: the severity number is at least some value.', {
      min: field.int('The lowest number that matches: 1 TRACE, 5 DEBUG, 9 INFO, 13 WARN, 17 ERROR, 21 FATAL.', {
        default: 0,
        min: 0,
        max: 24,
      }),
      match_undefined: field.bool('Whether records without a severity number match.', { default: false }),
    }),
    metric_names: field.list('Metrics: the metric’s name is one of these.', text('A metric name.')),
    attributes: field.list('Traces and logs: the record has all of these.', attribute('An attribute.')),
    resources: field.list('The resource has all of these attributes.', attribute('A resource attribute.')),
    libraries: field.list(
      'Traces and logs: the instrumentation scope agrees with every one of these.',
      field.object(
        'An instrumentation scope.',
        {
          name: field.string('Its name.', { required: true }),
          version: field.string('Its version; absent: any, "": only a scope without one.'),
        },
        { required: true },
      ),
    ),
    regexp: field.unsupported('Tunes the cache of `match_type: regexp`.', 'patterns wait for the RE2 engine'),
  })
}

export type MatchConfig = NonNullable<ValueOf<ReturnType<typeof matchField>>>
type Property = Exclude<keyof MatchConfig, 'match_type'>

/** What each signal can be matched by: contrib's `filterconfig`, v0.159.0. */
const PROPERTIES: Readonly<Record<Exclude<Signal, 'profiles'>, readonly Property[]>> = {
  traces: ['services', 'span_names', 'span_kinds', 'attributes', 'resources', 'libraries'],
  logs: ['log_bodies', 'log_severity_texts', 'log_severity_number', 'attributes', 'resources', 'libraries'],
  metrics: ['metric_names', 'resources'],
}
const ALL = [...new Set(Object.values(PROPERTIES).flat())]

/** What can be said without knowing the pipeline. `at` is `include` or `exclude`. */
export function checkMatch(config: MatchConfig | undefined, at: string): ConfigProblem[] {
  if (config === undefined) return []
  const problems: ConfigProblem[] = []
  if (config.match_type === 'regexp') {
    const message =
      'regexp is not supported yet: patterns wait for the RE2 engine; list the names and use "strict" meanwhile'
    problems.push({ path: [at, 'match_type'], message })
  }
  if (given(config, ALL).length === 0) {
    problems.push({ path: [at], message: `matches nothing: add at least one of ${ALL.join(', ')}` })
  }
  for (const list of ['attributes', 'resources'] as const) {
    for (const [i, { key }] of (config[list] ?? []).entries()) {
      if (key === '')
        problems.push({ path: [at, list, i, 'key'], message: 'expected the name of an attribute, got ""' })
    }
  }
  return problems
}

/** What only a pipeline's signal decides. */
export function checkMatchFor(signal: Signal, config: MatchConfig | undefined, at: string): ConfigProblem[] {
  if (config === undefined || signal === 'profiles') return []
  const fitting = PROPERTIES[signal]
  const ways = fitting.join(', ')
  const strange = given(config, ALL).filter((property) => !fitting.includes(property))
  return strange.map((property) => ({ path: [at, property], message: `cannot match ${signal}, use ${ways}` }))
}

function given(config: MatchConfig, properties: readonly Property[]): Property[] {
  return properties.filter((property) => {
    const value = config[property]
    return Array.isArray(value) ? value.length > 0 : value !== undefined
  })
}
