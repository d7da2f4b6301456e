import { type ConfigProblem, define } from '../../src/component/define.ts'
import { field } from '../../src/config/field.ts'
import { deliveryProblems, optionalQueueField } from '../../src/queue/fields.ts'

export default define({
  kind: 'exporter',
  type: 'debug',
  aliases: ['logging'],
  stability: 'beta',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  summary: 'Prints telemetry for people to read, to see what passes a pipeline.',
  config: {
    verbosity: field.enum(
      '`basic`: a line a batch with its counts. `normal`: a line a record. `detailed`: every field of every record.',
      ['basic', 'normal', 'detailed'],
      { default: 'basic' },
    ),
    sampling_initial: field.int('How many batches of each signal are printed in a second before sampling begins.', {
      default: 2,
      min: 0,
    }),
    sampling_thereafter: field.int('Of the others in that second, every how many-th is printed; 0: none, 1: all.', {
      default: 1,
      min: 0,
    }),
    use_internal_logger: field.bool('Prints through the log of the service; off, to `output_paths`.', {
      default: true,
    }),
    output_paths: field.list(
      'Where to print without the log: `stdout`, `stderr`, or files to append to. Left out: `stdout`.',
      field.string('`stdout`, `stderr` or the path of a file.'),
    ),
    sending_queue: optionalQueueField,
  },
  older: [
    {
      key: 'loglevel',
      now: 'verbosity',
      values: { debug: 'detailed', info: 'normal', warn: 'basic', error: 'basic' },
    },
  ],
  check(config) {
    const problems: ConfigProblem[] = deliveryProblems(config)
    if (config.use_internal_logger && config.output_paths !== undefined) {
      problems.push({
        path: ['output_paths'],
        message: 'has no effect while everything goes to the log; set use_internal_logger: false, or leave it out',
      })
    } else if (config.output_paths?.length === 0) {
      problems.push({ path: ['output_paths'], message: 'expected at least one path; leave it out for stdout' })
    }
    return problems
  },
  async create(config, ctx) {
    const { debugExporter } = await import('./exporter.ts')
    return debugExporter(
      {
        verbosity: config.verbosity,
        initial: config.sampling_initial,
        thereafter: config.sampling_thereafter,
        outputPaths: config.use_internal_logger ? undefined : (config.output_paths ?? ['stdout']),
        queue: config.sending_queue,
      },
      ctx,
    )
  },
})
