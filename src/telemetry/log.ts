import { createRequire } from 'node:module'
import { type DestinationStream, destination, type Logger, pino } from 'pino'

/** `service.telemetry.logs`, resolved. Plain data: lanes get a copy. */
export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal'
  /** `console` reads well on a terminal, `json` is one object a line. */
  readonly encoding: 'console' | 'json'
  readonly colour: boolean
  /** Stand in every line. */
  readonly initialFields: Readonly<Record<string, unknown>>
}

/**
 * A logger to standard error. Writes are synchronous: a line that was logged before a crash is there after it, and lines of
 * several threads never mix. Nothing logs per record or per batch, so this costs nothing on the data path.
 */
export function makeLogger({ level, encoding, colour, initialFields }: LogOptions): Logger {
  const options = {
    level,
    base: initialFields,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  if (encoding === 'json') return pino(options, destination({ fd: 2, sync: true }))
  return pino(options, prettyStream(colour))
}

function prettyStream(colour: boolean): DestinationStream {
  // Loaded only where a person reads: the import doubles what logging costs at the start, 18 ms on top of 19, and only this encoding needs it.
  const pretty = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty')
  return pretty({
    destination: destination({ fd: 2, sync: true }),
    sync: true,
    colorize: colour,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'component,pipeline',
    messageFormat: (line) => named(line as unknown as Named),
  })
}

interface Named {
  readonly msg: string
  readonly component?: string
  readonly pipeline?: string
}

/** The message after whom it comes from: `processor batch in traces: …`. */
function named({ component, pipeline, msg }: Named): string {
  if (component === undefined) return msg
  return pipeline === undefined ? `${component}: ${msg}` : `${component} in ${pipeline}: ${msg}`
}
