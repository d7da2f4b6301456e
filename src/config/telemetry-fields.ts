import { METRIC_LEVELS } from '../telemetry/meter.ts'
import { type Fields, field, type ValueOf } from './field.ts'

/** Milliseconds as OpenTelemetry's declarative configuration writes them: a bare number. */
function ms(doc: string, fallback: number) {
  return field.int(`${doc} In milliseconds.`, { default: fallback, min: 0 })
}

const otlp = {
  protocol: field.enum('How it is sent.', ['grpc', 'http/protobuf', 'http/json'], { default: 'http/protobuf' }),
  endpoint: field.string(
    'Where: a URL, or host:port with gRPC. Absent: localhost, at the usual port. `/v1/metrics` and the like are appended to a URL without a path.',
    { example: 'http://localhost:4318' },
  ),
  headers: field.any('Sent with every request: `[{name: …, value: …}]`, or a mapping.'),
  headers_list: field.secret('The same as one text, `a=1,b=2`; `headers` win.'),
  compression: field.enum('Of every request.', ['gzip', 'none'], { default: 'none' }),
  timeout: ms('Longest that a request may take.', 10_000),
  insecure: field.bool('gRPC in clear text. An endpoint with `http://` is, too.', { default: false }),
  certificate: field.string('Trusts servers whose certificate one of these authorities (PEM file) signed.'),
  client_certificate: field.string('Certificate of this side, as a PEM file.'),
  client_key: field.string('Private key of that certificate, as a PEM file.'),
  tls: field.object('The same, as newer configurations write it.', {
    ca_file: field.string('`certificate`.'),
    cert_file: field.string('`client_certificate`.'),
    key_file: field.string('`client_key`.'),
    insecure: field.bool('`insecure`.', { default: false }),
  }),
} satisfies Fields

const otlpMetrics = {
  ...otlp,
  temporality_preference: field.enum(
    'Whether counters are sent as totals or as what was added since; `lowmemory` is `delta` for what only grows and is counted synchronously.',
    ['cumulative', 'delta', 'lowmemory'],
    { default: 'cumulative' },
  ),
  default_histogram_aggregation: field.enum(
    'How histograms are sent where no view says.',
    ['base2_exponential_bucket_histogram', 'explicit_bucket_histogram'],
    { default: 'base2_exponential_bucket_histogram' },
  ),
} satisfies Fields

const toConsole = field.object('Written to standard output, one JSON object a request.', {})

const exporter = field.object(
  'To where: one of the two.',
  { otlp: field.object('By OTLP.', otlp), console: toConsole },
  { required: true },
)

const processor = field.object('One way out: `batch` or `simple`.', {
  batch: field.object('Gathers what there is and sends it together.', {
    schedule_delay: ms('Sends this often.', 5000),
    export_timeout: ms('Longest that an export may take.', 30_000),
    max_queue_size: field.int('What waits at most; more is dropped, and counted.', { default: 2048, min: 1 }),
    max_export_batch_size: field.int('Sends at once when this many wait.', { default: 512, min: 1 }),
    exporter,
  }),
  simple: field.object('Sends each by itself, at once.', { exporter }),
})

const GO_LINES = 'lines carry no file and line of Go code'

const logs = {
  level: field.enum(
    'The least important line that is written.',
    ['debug', 'info', 'warn', 'error', 'dpanic', 'panic', 'fatal'],
    { default: 'info', anyCase: true },
  ),
  encoding: field.enum('`console` for people, `json` for machines. Unset: by whether a terminal reads it.', [
    'console',
    'json',
  ]),
  initial_fields: field.map('Stand in every line.', field.any('Any value.'), { default: {} }),
  output_paths: field.list(
    'Where lines go: `stdout`, `stderr`, files that are appended to.',
    field.string('`stdout`, `stderr` or a path.'),
    { default: ['stderr'] },
  ),
  error_output_paths: field.list(
    'Where it goes that lines could not be written.',
    field.string('`stdout`, `stderr` or a path.'),
    { default: ['stderr'] },
  ),
  sampling: field.object(
    'Thins out lines of the same level and message.',
    {
      enabled: field.bool('Off: every line is written.', { default: true }),
      tick: field.duration('The span of time in which lines are counted.', { default: '10s', min: 0 }),
      initial: field.int('So many are written in each.', { default: 10, min: 0 }),
      thereafter: field.int('Then every so manieth; 0 is none.', { default: 100, min: 0 }),
    },
    { default: {} },
  ),
  disable_stacktrace: field.bool('Leaves the stacks of errors out of lines.', { default: false }),
  disable_zap_resource: field.bool('Leaves `resource` out of lines of encoding `json`.', { default: false }),
  disable_caller: field.noEffect('Leaves out file and line of the Go code.', GO_LINES),
  development: field.noEffect('Development mode of the logger.', 'it changes how the Go logger panics'),
  processors: field.list('Sends lines on, besides writing them.', processor, { default: [] }),
} satisfies Fields

const names = (doc: string) => field.list(doc, field.string('A name; `*` and `?` stand for others.'), { default: [] })

export const PROMETHEUS = { host: 'localhost', port: 8888 }

const prometheus = {
  host: field.string('Address to listen on.', { default: PROMETHEUS.host }),
  port: field.int('Port to listen on.', { default: PROMETHEUS.port, min: 0, max: 65_535 }),
  without_scope_info: field.bool('Leaves out the labels `otel_scope_name` and `otel_scope_version`.', {
    default: true,
  }),
  without_units: field.bool('Leaves units out of names.', { default: true }),
  without_type_suffix: field.bool('Leaves `_total` out of names of counters.', { default: true }),
  with_resource_constant_labels: field.object('Attributes of the resource that become labels of every series.', {
    included: names('Those whose name fits one of these. None: all.'),
    excluded: names('But for these.'),
  }),
  translation_strategy: field.enum(
    'How names are made Prometheus’ own, instead of `without_units` and `without_type_suffix`.',
    [
      'UnderscoreEscapingWithSuffixes',
      'UnderscoreEscapingWithoutSuffixes',
      'NoUTF8EscapingWithSuffixes',
      'NoTranslation',
    ],
  ),
} satisfies Fields

const reader = field.object('One reader: `pull` or `periodic`.', {
  pull: field.object('Pulled over HTTP.', {
    exporter: field.object(
      'In which format.',
      { prometheus: field.object('Prometheus exposition at `/metrics`.', prometheus) },
      { required: true },
    ),
  }),
  periodic: field.object('Sent every so often.', {
    interval: ms('How often.', 60_000),
    timeout: ms('Longest that one export may take.', 30_000),
    exporter: field.object(
      'To where: one of the two.',
      { otlp: field.object('By OTLP.', otlpMetrics), console: toConsole },
      { required: true },
    ),
  }),
})

const view = field.object('One view.', {
  selector: field.object(
    'Which instruments: all that fit every key.',
    {
      instrument_name: field.string('Its name; `*` stands for any text, `?` for one character.'),
      instrument_type: field.enum('Its kind.', [
        'counter',
        'gauge',
        'histogram',
        'observable_counter',
        'observable_gauge',
        'observable_up_down_counter',
        'up_down_counter',
      ]),
      unit: field.string('Its unit.'),
      meter_name: field.string('The name of its scope: all of Sluice’s own are `sluice`.'),
      meter_version: field.string('The version of its scope.'),
      meter_schema_url: field.string('The schema of its scope: there is none.'),
    },
    { default: {} },
  ),
  stream: field.object(
    'What becomes of them.',
    {
      name: field.string('Another name.'),
      description: field.string('Another description.'),
      attribute_keys: field.object('Which attributes stay; series that then are alike add up.', {
        included: names('Those. None: all.'),
        excluded: names('But for these.'),
      }),
      aggregation: field.object('Another aggregation.', {
        default: field.object('As if there were no view.', {}),
        drop: field.object('Leaves the instrument out.', {}),
        sum: field.object('Adds up; of a histogram, its sum.', {}),
        last_value: field.object('As a gauge.', {}),
        explicit_bucket_histogram: field.object('Histograms with these buckets.', {
          boundaries: field.list('Upper bounds, ascending.', field.number('A bound.'), {
            default: [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000],
          }),
          record_min_max: field.bool('Tells the least and the largest value, too.', { default: true }),
        }),
        base2_exponential_bucket_histogram: field.object('Histograms in the exponential form.', {
          max_scale: field.int('The finest scale.', { default: 20, min: -10, max: 20 }),
          max_size: field.int('Most buckets.', { default: 160, min: 2, max: 160 }),
          record_min_max: field.bool('Tells the least and the largest value, too.', { default: true }),
        }),
      }),
    },
    { default: {} },
  ),
})

const metrics = {
  level: field.enum(
    'How much is told: each level adds instruments to the one before; `none` turns metrics off.',
    METRIC_LEVELS,
    { default: 'normal', anyCase: true },
  ),
  readers: field.list('Who reads the metrics. Unset: Prometheus at localhost:8888.', reader),
  address: field.string('Where Prometheus pulls, as old configurations wrote it; `readers` win.', {
    example: 'localhost:8888',
  }),
  views: field.list('Renames, drops and reshapes metrics; only at level `detailed`.', view, { default: [] }),
} satisfies Fields

const NO_EVENTS = 'spans of Sluice carry neither events nor links'

const PLAIN_SAMPLERS = {
  always_on: field.object('All.', {}),
  always_off: field.object('None.', {}),
  trace_id_ratio_based: field.object('A share, by trace id.', {
    ratio: field.number('The share.', { default: 1, min: 0, max: 1 }),
  }),
}

const plainSampler = (doc: string) => field.object(doc, PLAIN_SAMPLERS)

const traces = {
  level: field.enum('`none` makes no spans; the other levels are one.', METRIC_LEVELS, {
    default: 'basic',
    anyCase: true,
  }),
  propagators: field.list(
    'How spans are linked to those of callers and backends.',
    field.enum('A format of headers.', ['tracecontext', 'b3', 'none'], { required: true }),
    { default: ['tracecontext'] },
  ),
  sampler: field.object('Which requests get spans. Unset: at most 20 a second, none of which the caller left out.', {
    ...PLAIN_SAMPLERS,
    parent_based: field.object('As the caller decided.', {
      root: plainSampler('Without a caller’s span. Unset: all.'),
      remote_parent_sampled: plainSampler('With one that was sampled. Unset: all.'),
      remote_parent_not_sampled: plainSampler('With one that was not. Unset: none.'),
      local_parent_sampled: plainSampler('Of the spans below that of a request. Unset: all.'),
      local_parent_not_sampled: field.noEffect(
        'Of the work below a request without a span.',
        'nothing stands above such work that a span could name; `root` decides',
      ),
    }),
    jaeger_remote: field.noEffect(
      'Asks a Jaeger.',
      'the Collector does nothing with it either; write the sampler that it would answer with',
    ),
  }),
  limits: field.object('How large spans get.', {
    attribute_count_limit: field.int('Most attributes.', { default: 128, min: 0 }),
    attribute_value_length_limit: field.int('Longest text of an attribute, in characters; absent: any.', { min: 0 }),
    event_count_limit: field.noEffect('Most events.', NO_EVENTS),
    link_count_limit: field.noEffect('Most links.', NO_EVENTS),
    event_attribute_count_limit: field.noEffect('Most attributes of an event.', NO_EVENTS),
    link_attribute_count_limit: field.noEffect('Most attributes of a link.', NO_EVENTS),
  }),
  processors: field.list('Where spans go. None: the last ones are kept for the `zpages` extension.', processor, {
    default: [],
  }),
} satisfies Fields

/** `service.telemetry`. */
export const TELEMETRY = {
  logs: field.object('Its log lines.', logs, { default: {} }),
  metrics: field.object('Its metrics.', metrics, { default: {} }),
  traces: field.object('Spans of its own work.', traces, { default: {} }),
  resource: field.map(
    'Attributes of Sluice itself; null takes one away. Or `attributes: [{name: …, value: …, type: …}]`. `detection/development: {detectors: [{host: {}}, {process: {}}]}` adds what the machine says.',
    field.any('A value.'),
    { default: {} },
  ),
} satisfies Fields

/** `service.telemetry`, decoded. Plain data. */
export type Telemetry = { readonly [K in keyof typeof TELEMETRY]: ValueOf<(typeof TELEMETRY)[K]> }
export type LogsConfig = Telemetry['logs']
export type MetricsConfig = Telemetry['metrics']
export type TracesConfig = Telemetry['traces']
export type SamplerConfig = NonNullable<TracesConfig['sampler']>
export type ProcessorConfig = LogsConfig['processors'][number]
export type ReaderConfig = NonNullable<MetricsConfig['readers']>[number]
export type PrometheusConfig = NonNullable<NonNullable<ReaderConfig['pull']>['exporter']['prometheus']>
export type PeriodicConfig = NonNullable<ReaderConfig['periodic']>
export type ViewConfig = MetricsConfig['views'][number]
export type OtlpConfig = NonNullable<NonNullable<ProcessorConfig['simple']>['exporter']['otlp']>
