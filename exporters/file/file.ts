import { type ConfigProblem, define } from '../../src/component/define.ts'
import { field } from '../../src/config/field.ts'

export default define({
  kind: 'exporter',
  type: 'file',
  stability: 'beta',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  summary: 'Writes telemetry to a file, one OTLP request a record, for archives, tests and other programs to read.',
  config: {
    path: field.string('The file, relative to the working directory.', {
      required: true,
      example: './telemetry.jsonl',
    }),
    format: field.enum(
      '`json`: an OTLP/JSON document a line. `proto`: OTLP protobuf, each record after its length in 4 bytes, big-endian.',
      ['json', 'proto'],
      { default: 'json' },
    ),
    append: field.bool('Keeps what the file has; off, the start empties it.', { default: false }),
    compression: field.enum(
      '`zstd` compresses each record by itself; records then stand after their length, whatever the format.',
      ['', 'zstd'],
      { default: '' },
    ),
    compression_params: field.object('How hard `compression` tries.', {
      level: field.int('1 is fastest, 11 smallest; 0 is the default of zstd, 3.', { default: 0, min: 0, max: 11 }),
    }),
    create_directory: field.bool('Makes the directory of `path`, and those above it, at the start.', {
      default: false,
    }),
    directory_permissions: field.string(
      'Mode of directories that are made, in octal, less the umask; `0755` if left out.',
      {
        pattern: /^0?[0-7]{3}$/,
        example: '0750',
      },
    ),
    rotation: field.object(
      'Starts a new file when one is full. The full one gets the time in its name: `data-2026-01-31T08-15-00.000.jsonl`.',
      {
        max_megabytes: field.int('Size of a file, in MiB.', { default: 100, min: 1 }),
        max_days: field.int('Deletes full files after this many times 24 hours; 0 keeps them.', { default: 0, min: 0 }),
        max_backups: field.int('Deletes the oldest full files beyond this many; 0 keeps all.', {
          default: 100,
          min: 0,
        }),
        localtime: field.bool('Names carry local time, not UTC.', { default: false }),
      },
    ),
    flush_interval: field.noEffect(
      'Waits between two flushes of a buffer.',
      'nothing is buffered: a batch is acknowledged when the operating system has it',
    ),
    encoding: field.unsupported('An encoding extension that replaces `format`.', 'there are no encoding extensions'),
    group_by: field.unsupported('A file for each value of a resource attribute.', 'all data goes to one file'),
  },
  check(config) {
    const problems: ConfigProblem[] = []
    if (config.path === '')
      problems.push({ path: ['path'], message: 'expected the name of a file, got an empty string' })
    if (config.append && config.rotation !== undefined) {
      problems.push({
        path: ['append'],
        message: 'expected to be left out beside rotation, which appends to what it finds anyway',
      })
    }
    if (config.directory_permissions !== undefined && !config.create_directory) {
      problems.push({
        path: ['directory_permissions'],
        message: 'has no directory to apply to; set create_directory: true, or leave it out',
      })
    }
    return problems
  },
  async create(config, ctx) {
    const { FileExporter } = await import('./exporter.ts')
    return new FileExporter(
      {
        path: config.path,
        format: config.format,
        zstdLevel: config.compression === 'zstd' ? (config.compression_params?.level ?? 0) : undefined,
        append: config.append,
        createDirectory: config.create_directory
          ? Number.parseInt(config.directory_permissions ?? '0755', 8)
          : undefined,
        rotation: config.rotation && {
          maxBytes: config.rotation.max_megabytes * 1024 * 1024,
          maxDays: config.rotation.max_days,
          maxBackups: config.rotation.max_backups,
          localTime: config.rotation.localtime,
        },
      },
      ctx,
    )
  },
})
