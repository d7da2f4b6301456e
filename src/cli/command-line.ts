import { existsSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { didYouMean } from '../config/nearest.ts'
import { MOST_LANES } from '../transport/connection-share.ts'
import { version } from '../version.ts'

/** The options that say which configuration is meant; every command that reads one takes them. */
export interface ConfigSources {
  readonly config: readonly string[]
  readonly set: readonly string[]
  readonly featureGates: readonly string[]
}

interface RawSources {
  readonly config?: string[]
  readonly set?: string[]
  readonly featureGates?: string[]
}

const collect = (value: string, all: string[] = []): string[] => [...all, value]

function withSources(command: Command): Command {
  return command
    .argument('[files...]', 'configuration files; later ones override earlier ones')
    .addOption(
      new Option(
        '--config <uri>',
        'a configuration file or file:, env:, yaml:, http:, https: URI; repeatable, later wins',
      ).argParser(collect),
    )
    .addOption(
      new Option(
        '--set <key=value>',
        'sets one key after all files, e.g. --set exporters.debug.verbosity=detailed',
      ).argParser(collect),
    )
    .addOption(
      new Option(
        '--feature-gates <list>',
        'turns feature gates of the Collector on (id, +id) or off (-id), with commas between them',
      ).argParser(collect),
    )
}

function sources(files: readonly string[], { config = [], set = [], featureGates = [] }: RawSources): ConfigSources {
  return { config: [...files, ...config], set, featureGates }
}

function laneOption(text: string): string {
  const lanes = Number(text)
  if (text === 'auto' || (/^\d+$/.test(text) && lanes >= 1 && lanes <= MOST_LANES)) return text
  throw new InvalidArgumentError(`Expected auto or an integer from 1 to ${MOST_LANES}.`)
}

/** `run` needs not be written, so a misspelt command looks like a file to run. */
function misspeltCommand(program: Command, [first]: readonly string[]): string | undefined {
  if (first === undefined || program.args[0] !== first || !/^[a-z-]+$/.test(first) || existsSync(first))
    return undefined
  const near = didYouMean(
    first,
    program.commands.flatMap((command) => [command.name(), ...command.aliases()]),
  )
  return near === '' ? undefined : `error: there is no command and no file "${first}"${near}`
}

/** Parses arguments and runs the command they name; sets the exit code. Resolves when the command has ended. */
export async function commandLine(args: readonly string[]): Promise<void> {
  // A reader that has seen enough, such as `head`, is no failure. What `run` makes of it stands there.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  const program = new Command('sluice')
    .description('An OpenTelemetry pipeline engine: runs OpenTelemetry Collector configurations.')
    .version(version(), '-v, --version')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'sluice: ')) })

  withSources(program.command('run', { isDefault: true }))
    .description('run pipelines until SIGINT or SIGTERM (the default command)')
    .addOption(
      new Option('--lanes <n>', 'worker threads that each run every pipeline, or auto; instead of service.lanes')
        .env('SLUICE_LANES')
        .argParser(laneOption),
    )
    .action(async (files: string[], options: RawSources & { lanes?: string }) => {
      const { config, set, featureGates } = sources(files, options)
      const misspelt = misspeltCommand(program, config)
      if (misspelt !== undefined) program.error(misspelt)
      const { run } = await import('./run.ts')
      process.exitCode = await run({
        config,
        featureGates,
        set: options.lanes === undefined ? set : [...set, `service.lanes=${options.lanes}`],
      })
    })

  withSources(program.command('validate'))
    .description('check a configuration without starting anything; problems go to standard error, one a line')
    .action(async (files: string[], options: RawSources) => {
      const { validate } = await import('./validate.ts')
      process.exitCode = await validate(sources(files, options))
    })

  withSources(program.command('print-config'))
    .alias('print-initial-config')
    .description('print the effective configuration, defaults filled in')
    .addOption(
      new Option('--mode <mode>', 'whether secrets are shown').choices(['redacted', 'unredacted']).default('redacted'),
    )
    .addOption(new Option('--format <format>', 'how it is written').choices(['yaml', 'json']).default('yaml'))
    .action(async (files: string[], options: RawSources & { mode: string; format: 'yaml' | 'json' }) => {
      const { printConfiguration } = await import('./print-config.ts')
      const { mode, format } = options
      process.exitCode = await printConfiguration(sources(files, options), {
        unredacted: mode === 'unredacted',
        format,
      })
    })

  program
    .command('migrate')
    .argument('<file>', 'a configuration file')
    .description("print a configuration file in today's form, comments and layout kept")
    .option('--diff', 'print what changes, as diff -u does')
    .option('--write', 'write it to the file')
    .action(async (file: string, { diff = false, write = false }: { diff?: boolean; write?: boolean }) => {
      const { migrateFile } = await import('./migrate.ts')
      process.exitCode = await migrateFile(file, { diff, write })
    })

  program
    .command('featuregate')
    .argument('[id]', 'one of them')
    .description('list the feature gates of the Collector that are understood')
    .action(async (id: string | undefined) => {
      const { featureGates, noSuchGate } = await import('./list-feature-gates.ts')
      const text = featureGates(id)
      process.stdout.write(text ?? program.error(`error: ${noSuchGate(id!)}`))
    })

  program
    .command('components')
    .description('list the components of this build')
    .option('--json', 'as a JSON array of {kind, type, aliases, signals, stability}')
    .action(async (options: { json?: boolean }) => {
      const { components } = await import('./list-components.ts')
      process.stdout.write(components(options.json ?? false))
    })

  program
    .command('schema')
    .description('print the JSON Schema of the configuration, for editors')
    .action(async () => {
      const { schema } = await import('./schema.ts')
      process.stdout.write(schema())
    })

  program
    .command('version')
    .description('print the version')
    .action(() => {
      process.stdout.write(`sluice ${version()} (Node ${process.versions.node})\n`)
    })

  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    process.exitCode = error.exitCode
  }
}
