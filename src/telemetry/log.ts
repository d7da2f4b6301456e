import { createRequire } from 'node:module'
import { type Logger, type LoggerOptions, pino } from 'pino'
import { type LogOutput, logOutput } from './log-outputs.ts'
import { LogSampler, type LogSampling } from './log-sampling.ts'

/** `service.telemetry.logs`, resolved. Plain data: lanes get a copy. */
export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal'
  /** `console` reads well on a terminal, `json` is one object a line. */
  readonly encoding: 'console' | 'json'
  readonly colour: boolean
  /** Stand in every line. */
  readonly initialFields: Readonly<Record<string, unknown>>
  /** `stdout`, `stderr`, files; absent: standard error. */
  readonly outputPaths?: readonly string[]
  readonly errorOutputPaths?: readonly string[]
  /** Absent: every line is written. */
  readonly sampling?: LogSampling
  /** Stands as `resource` in every JSON line; absent: it does not. */
  readonly resource?: Readonly<Record<string, unknown>>
  /** Leaves the stacks of errors out. */
  readonly withoutStacks?: boolean
  /** Lines are sent on by `service.telemetry.logs.processors`, too. */
  readonly forwarded?: boolean
}

const STDERR = ['stderr']

/** pino's number of the level. */
const ERROR = 50

/**
 * A logger, its lines in the Collector's fields: `level`, `ts`, `msg`, `resource`, `otelcol.component.id` and so on. Nothing
 * logs per record or per batch, so this costs nothing on the data path. `forward` gets each JSON line besides. `quiet`: while it
 * says so, lines below `error` are left out.
 */
export function makeLogger(
  options: LogOptions,
  forward?: (line: string) => void,
  quiet: () => boolean = () => false,
): Logger {
  const { level, encoding, colour, initialFields, resource, sampling, withoutStacks } = options
  const output = logOutput(options.outputPaths ?? STDERR, options.errorOutputPaths ?? STDERR)
  const sampler = sampling && new LogSampler(sampling, () => Date.now())
  const settings: LoggerOptions = {
    level,
    base: { ...initialFields, ...(encoding === 'json' && resource !== undefined && { resource }) },
    timestamp: () => `,"ts":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    ...(withoutStacks && { serializers: { err: withoutStack } }),
    hooks: {
      logMethod(args, method, number) {
        if (number < ERROR && quiet()) return
        const message = typeof args[0] === 'string' ? args[0] : (args[1] ?? '')
        if (sampler === undefined || sampler.takes(number, String(message))) method.apply(this, args)
      },
    },
  }
  const written = encoding === 'json' ? output : prettyOutput(output, colour)
  if (forward === undefined) return pino(settings, written)
  return pino(settings, {
    write(line: string) {
      written.write(line)
      forward(line)
    },
  })
}

function withoutStack(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { stack: _, ...rest } = pino.stdSerializers.err(error)
  return rest
}

function prettyOutput(output: LogOutput, colour: boolean): LogOutput {
  // Loaded only where a person reads: the import doubles what logging costs at the start, 18 ms on top of 19, and only this encoding needs it.
  const { prettyFactory } = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty')
  const pretty = prettyFactory({
    colorize: colour,
    timestampKey: 'ts',
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: Object.values(ABOUT).join(',').replaceAll('.', '\\.'),
    messageFormat: (line) => named(line as unknown as Named),
  })
  return { write: (line) => output.write(pretty(line)) }
}

/** The fields that say whom a line comes from, as the Collector calls them. */
const ABOUT = {
  kind: 'otelcol.component.kind',
  id: 'otelcol.component.id',
  pipeline: 'otelcol.pipeline.id',
  signal: 'otelcol.signal',
  lane: 'sluice.lane',
} as const

/** The field of a lane's lines, where there are several. */
export function inLane(name: string): Record<string, string> {
  return { [ABOUT.lane]: name }
}

/** The fields of a component's lines. `signal` where it serves one. */
export function aboutComponent(kind: string, id: string, pipeline?: string, signal?: string): Record<string, string> {
  return {
    [ABOUT.id]: id,
    [ABOUT.kind]: kind,
    ...(pipeline !== undefined && { [ABOUT.pipeline]: pipeline }),
    ...(signal !== undefined && { [ABOUT.signal]: signal }),
  }
}

interface Named {
  readonly msg: string
  readonly [ABOUT.kind]?: string
  readonly [ABOUT.id]?: string
  readonly [ABOUT.pipeline]?: string
  readonly [ABOUT.lane]?: string
}

/** The message after whom it comes from: `lane-2: processor batch in traces: …`. */
function named(line: Named): string {
  const { [ABOUT.kind]: kind, [ABOUT.id]: id, [ABOUT.pipeline]: pipeline, [ABOUT.lane]: lane, msg } = line
  const text = lane === undefined ? '' : `${lane}: `
  if (kind === undefined) return text + msg
  return text + (pipeline === undefined ? `${kind} ${id}: ${msg}` : `${kind} ${id} in ${pipeline}: ${msg}`)
}
