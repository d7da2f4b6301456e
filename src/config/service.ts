import { type Fields, field, type ValueOf } from './field.ts'
import type { Report } from './problem.ts'
import type { ResolvedTelemetry } from './resolved.ts'
import { keyAt, placeAt, type Tree } from './tree.ts'

const NO_OWN_SPANS = 'Sluice makes no spans of its own'
const NO_OTLP_OUT = 'Sluice does not send its own telemetry by OTLP; pull its metrics, collect its log lines'
const ONE_NAME = 'Sluice gives every metric the name that the Collector gives it by default'

const logs = {
  level: field.enum(
    'The least important line that is written.',
    ['debug', 'info', 'warn', 'error', 'dpanic', 'panic', 'fatal'],
    {
      default: 'info',
      anyCase: true,
    },
  ),
  encoding: field.enum('`console` for people, `json` for machines. Unset: by whether a terminal reads it.', [
    'console',
    'json',
  ]),
  initial_fields: field.map('Stand in every line.', field.any('Any value.'), { default: {} }),
  development: field.noEffect('Development mode of the logger.', 'it changes how the Go logger panics'),
  disable_caller: field.noEffect('Leaves out file and line of the Go code.', 'lines do not carry them'),
  disable_stacktrace: field.noEffect('Leaves out Go stack traces.', 'lines do not carry them'),
  disable_zap_resource: field.noEffect('Leaves the resource out of lines.', 'lines do not carry it'),
  sampling: field.noEffect('Thins out repeated lines.', 'nothing is logged per record or per batch'),
  error_output_paths: field.noEffect('Where the logger writes its own errors.', 'the logger has none'),
  output_paths: field.unsupported('Where lines go.', 'lines go to standard error; redirect that'),
  processors: field.unsupported('Sends lines by OTLP.', NO_OTLP_OUT),
} satisfies Fields

/** Ids are no strings to the Collector, so that here `receivers: a,b` is a mistake. */
function ids(doc: string) {
  return field.list(doc, field.string('An id.'), { default: [], commas: false })
}

const PROMETHEUS = { host: 'localhost', port: 8888 }

const prometheus = {
  host: field.string('Address to listen on.', { default: PROMETHEUS.host }),
  port: field.int('Port to listen on.', { default: PROMETHEUS.port, min: 0, max: 65_535 }),
  without_scope_info: field.noEffect('Leaves out `otel_scope_info`.', 'it is never written'),
  without_units: field.bool('Leaves units out of names; `false` is not supported.', { default: true }),
  without_type_suffix: field.bool('Leaves `_total` out of names; `false` is not supported.', { default: true }),
  with_resource_constant_labels: field.unsupported(
    'Repeats the resource on every series.',
    'the resource stands in target_info; join on that',
  ),
  translation_strategy: field.unsupported('How names are rewritten.', ONE_NAME),
} satisfies Fields

const metrics = {
  level: field.enum(
    'How much is told: each level adds instruments to the one before; `none` turns metrics off.',
    ['none', 'basic', 'normal', 'detailed'],
    {
      default: 'normal',
      anyCase: true,
    },
  ),
  readers: field.list(
    'Who reads the metrics. Unset: Prometheus at localhost:8888.',
    field.object('One reader.', {
      pull: field.object('Pulled over HTTP.', {
        exporter: field.object(
          'In which format.',
          { prometheus: field.object('Prometheus exposition at `/metrics`.', prometheus) },
          { required: true },
        ),
      }),
      periodic: field.unsupported('Pushed by OTLP.', NO_OTLP_OUT),
    }),
  ),
  address: field.noEffect(
    'The endpoint, as old configurations wrote it.',
    'the Collector ignores it since v0.123; use readers',
  ),
  views: field.unsupported('Renames and drops metrics.', 'all metrics are served as they are'),
} satisfies Fields

const traces = {
  level: field.noEffect('Whether own spans are made.', NO_OWN_SPANS),
  propagators: field.noEffect('How own spans are linked.', NO_OWN_SPANS),
  sampler: field.noEffect('Which own spans are kept.', NO_OWN_SPANS),
  limits: field.noEffect('How large own spans get.', NO_OWN_SPANS),
  processors: field.unsupported('Sends own spans by OTLP.', NO_OWN_SPANS),
} satisfies Fields

/** `service`, but for its pipelines' references, which need the other sections. */
export const SERVICE = {
  extensions: ids('Extensions that run, in the order in which they start.'),
  pipelines: field.map(
    'What flows where: `<signal>` or `<signal>/<name>`.',
    field.object('One pipeline.', {
      receivers: ids('Receivers, and connectors that feed this pipeline.'),
      processors: ids('Processors in the order in which data passes them.'),
      exporters: ids('Exporters, and connectors that this pipeline feeds.'),
    }),
    { default: {} },
  ),
  telemetry: field.object(
    'What Sluice tells about itself.',
    {
      logs: field.object('Its log lines, on standard error.', logs, { default: {} }),
      metrics: field.object('Its metrics.', metrics, { default: {} }),
      traces: field.object('Its spans: there are none.', traces),
      resource: field.map(
        'Attributes of Sluice itself; an empty value takes one away.',
        field.string('A string.', { default: '' }),
        { default: {} },
      ),
    },
    { default: {} },
  ),
  admission: field.object(
    'The byte budget of everything that receivers take in, booked before a body is read.',
    {
      limit_mib: field.int(
        'Its size; it wins over the percentage. A quarter of it is for what connections may send unasked.',
        {
          min: 16,
          max: 1_048_576,
        },
      ),
      limit_percentage: field.int(
        'Its size in percent of the memory that the process may use, cgroups included. Unset: 25, and at most 2 GiB.',
        { min: 1, max: 100 },
      ),
    },
    { default: {}, own: true },
  ),
  lanes: field.int('Worker threads that hold the pipelines.', { default: 1, min: 1, own: true }),
  shutdown_timeout: field.duration('How long a stop may take to drain what is held.', { default: '30s', own: true }),
} satisfies Fields

export type Service = { readonly [K in keyof typeof SERVICE]: ValueOf<(typeof SERVICE)[K]> }

/** The only number of lanes there is until batches can move between them. */
const LANES = 1

/** Rules of `service` that go past one option, `root` being the whole configuration. */
export function checkService(service: Service, root: Tree, report: Report): void {
  if (service.lanes !== LANES) {
    const path = ['service', 'lanes']
    const message = `only ${LANES} lane works so far, got ${service.lanes}; leave the key out`
    report.problem('CONFIG_UNSUPPORTED', placeAt(root, path), path, message)
  }
  const path = ['service', 'telemetry', 'metrics', 'readers']
  const { level, readers } = service.telemetry.metrics
  if (level === 'none' || readers === undefined) return
  if (readers.length === 0) {
    const message = 'there is no reader, and level is not none; remove the key, or write level: none'
    report.problem('CONFIG_VALUE', keyAt(root, path), path, message)
  }
  for (const [index, reader] of readers.entries()) {
    const at = [...path, index]
    for (const key of ['without_units', 'without_type_suffix'] as const) {
      if (reader.pull?.exporter.prometheus?.[key] !== false) continue
      const here = [...at, 'pull', 'exporter', 'prometheus', key]
      report.problem('CONFIG_UNSUPPORTED', placeAt(root, here), here, `not supported: ${ONE_NAME}; remove the key`)
    }
    if (reader.pull?.exporter.prometheus === undefined) {
      report.problem('CONFIG_REQUIRED', placeAt(root, at), at, 'expected pull.exporter.prometheus: {host: …, port: …}')
    } else if (index > 0) {
      report.problem(
        'CONFIG_UNSUPPORTED',
        placeAt(root, at),
        at,
        'not supported: one reader is all there is; remove this one',
      )
    }
  }
}

/** Own telemetry as the runtime wants it, of a `service` that was found sound. */
export function resolveTelemetry({ telemetry }: Service): ResolvedTelemetry {
  const { level, encoding, initial_fields } = telemetry.logs
  const reader = telemetry.metrics.readers?.[0]?.pull?.exporter.prometheus
  return {
    logs: {
      // The Go logger's two levels between error and fatal say how hard it panics.
      level: level === 'dpanic' || level === 'panic' ? 'fatal' : level,
      encoding,
      initialFields: initial_fields,
    },
    metrics: {
      level: telemetry.metrics.level,
      readers:
        telemetry.metrics.level === 'none'
          ? []
          : [{ host: reader?.host ?? PROMETHEUS.host, port: reader?.port ?? PROMETHEUS.port }],
    },
    resource: Object.fromEntries(Object.entries(telemetry.resource).map(([name, value]) => [name, value || null])),
  }
}
