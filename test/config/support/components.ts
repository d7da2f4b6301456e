import { field } from '../../../src/config/field.ts'
import { type Loaded, type LoadOptions, loadConfig } from '../../../src/config/load.ts'
import { formatProblem } from '../../../src/config/problem.ts'
import { createRegistry, type Described } from '../../../src/config/registry.ts'

const ALL = ['traces', 'metrics', 'logs'] as const

const tls = field.object('Encryption.', {
  insecure: field.bool('Sends in the clear.', { default: false }),
  cert_file: field.string('A certificate.'),
  key_file: field.string('Its key.'),
  reload_interval: field.unsupported('Reads the files again.', 'files are read once'),
})

const otlpReceiver: Described = {
  kind: 'receiver',
  type: 'otlp',
  signals: ALL,
  summary: 'Takes OTLP.',
  config: {
    protocols: field.object(
      'What it listens to.',
      {
        grpc: field.object('OTLP/gRPC.', {
          endpoint: field.string('Address to listen on.', { default: 'localhost:4317' }),
          read_buffer_size: field.noEffect('Size of a buffer of the Go transport.', 'Node sizes its buffers itself'),
          tls,
        }),
        http: field.object('OTLP/HTTP.', {
          endpoint: field.string('Address to listen on.', { default: 'localhost:4318' }),
          max_body_mib: field.number('Largest body.', { default: 20, min: 0.5, max: 1024 }),
        }),
      },
      { required: true },
    ),
  },
}

const otlpExporter: Described = {
  kind: 'exporter',
  type: 'otlp_grpc',
  aliases: ['otlp'],
  signals: ALL,
  summary: 'Sends OTLP.',
  config: {
    endpoint: field.string('Address to send to.', { required: true, pattern: /^\S+:\d+$/, example: 'gateway:4317' }),
    headers: field.map('Sent with every request.', field.string('A value.'), { default: {} }),
    token: field.secret('Sent as bearer token.'),
    compression: field.enum('How requests are compressed.', ['gzip', 'zstd', 'none'], { default: 'gzip' }),
    timeout: field.duration('Longest wait for an answer.', { default: '5s', min: 1, max: 60_000 }),
    tls,
    sending_queue: field.object(
      'What waits to be sent.',
      {
        enabled: field.bool('Whether there is one.', { default: true }),
        queue_size: field.int('How much it holds.', { default: 1000, min: 1 }),
      },
      { default: {} },
    ),
  },
  check(config) {
    const { cert_file, key_file } = (config as { tls?: { cert_file?: string; key_file?: string } }).tls ?? {}
    if (cert_file === undefined || key_file !== undefined) return []
    return [{ path: ['tls', 'cert_file'], message: 'a certificate needs its key; set key_file as well' }]
  },
}

const debugExporter: Described = {
  kind: 'exporter',
  type: 'debug',
  signals: [...ALL, 'profiles'],
  summary: 'Writes to the terminal.',
  config: {
    verbosity: field.enum('How much.', ['basic', 'normal', 'detailed'], { default: 'basic', anyCase: true }),
    sampling_initial: field.int('Lines before thinning out.', { default: 2, min: 0 }),
  },
}

const batch: Described = {
  kind: 'processor',
  type: 'batch',
  signals: ALL,
  summary: 'Joins small batches.',
  config: {
    send_batch_size: field.int('Items that make a batch full.', { default: 8192, min: 1 }),
    timeout: field.duration('Longest wait.', { default: '200ms' }),
    metadata_keys: field.list('Keys that part batches.', field.string('A key.'), { default: [] }),
  },
}

const attributes: Described = {
  kind: 'processor',
  type: 'attributes',
  signals: ALL,
  summary: 'Edits attributes.',
  config: {
    actions: field.list(
      'In order.',
      field.object('One edit.', {
        key: field.string('Which.', { required: true }),
        action: field.enum('What.', ['insert', 'update', 'upsert', 'delete'], { required: true }),
        value: field.any('To what.'),
      }),
      { required: true, minItems: 1 },
    ),
  },
}

const tracesOnly: Described = {
  kind: 'processor',
  type: 'sampler',
  signals: ['traces'],
  summary: 'Samples.',
  config: {},
}

const forward: Described = {
  kind: 'connector',
  type: 'forward',
  signals: ALL,
  connects: ALL.map((signal) => [signal, signal] as const),
  summary: 'Joins pipelines.',
  config: {},
}

const count: Described = {
  kind: 'connector',
  type: 'count',
  signals: ALL,
  connects: [
    ['traces', 'metrics'],
    ['logs', 'metrics'],
  ],
  summary: 'Counts.',
  config: {},
}

const health: Described = {
  kind: 'extension',
  type: 'health_check',
  signals: [],
  summary: 'Answers whether all is well.',
  config: { endpoint: field.string('Address to listen on.', { default: 'localhost:13133' }) },
}

/** Small definitions that together have every shape of field. */
export const registry = createRegistry([
  otlpReceiver,
  otlpExporter,
  debugExporter,
  batch,
  attributes,
  tracesOnly,
  forward,
  count,
  health,
])

/** Loads what the arguments say, with nothing around it but what they say. */
export async function load(options: Partial<LoadOptions>): Promise<Loaded> {
  return await loadConfig({ config: [], env: {}, cwd: import.meta.dirname, ...options }, registry)
}

/** Loads one text as `--config yaml:…`. */
export async function loadText(text: string, env: LoadOptions['env'] = {}): Promise<Loaded> {
  return await load({ config: [`yaml:${text}`], env })
}

/** Problems as `validate` prints them. */
export function lines(loaded: Loaded): string[] {
  return loaded.problems.map(formatProblem)
}

/** The smallest configuration that runs. */
export const SMALLEST = `
receivers: {otlp: {protocols: {grpc: }}}
exporters: {debug: }
service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}
`
