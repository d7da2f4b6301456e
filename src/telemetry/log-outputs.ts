import { openSync } from 'node:fs'
import { destination } from 'pino'
import { SluiceError } from '../errors.ts'

/** Where log lines go. */
export interface LogOutput {
  write(line: string): void
}

const STREAMS: ReadonlyMap<string, number> = new Map([
  ['stdout', 1],
  ['stderr', 2],
])

/**
 * All of `paths`: `stdout`, `stderr`, files that are appended to (made where there are none). Writes are synchronous: a line
 * that was logged before a crash is there after it, and lines of several threads never mix. A line that cannot be written is
 * said at `errorPaths`, once an output. Throws LOG_OUTPUT for a file that cannot be opened.
 */
export function logOutput(paths: readonly string[], errorPaths: readonly string[]): LogOutput {
  const errors = errorPaths.map((path) => destination({ fd: descriptor(path, 'error_output_paths'), sync: true }))
  for (const each of errors) each.on('error', () => {})
  const outputs = paths.map((path) => {
    const output = destination({ fd: descriptor(path, 'output_paths'), sync: true })
    let said = false
    output.on('error', (error: Error) => {
      if (said) return
      said = true
      for (const each of errors) each.write(`cannot write log lines to ${path}: ${error.message}\n`)
    })
    return output
  })
  if (outputs.length === 1) return outputs[0]!
  return {
    write(line) {
      for (const output of outputs) output.write(line)
    },
  }
}

function descriptor(path: string, key: string): number {
  const stream = STREAMS.get(path)
  if (stream !== undefined) return stream
  try {
    return openSync(path.startsWith('file:') ? new URL(path) : path, 'a')
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new SluiceError('LOG_OUTPUT', `service.telemetry.logs.${key}: cannot open ${path}: ${message}`, {
      cause: error,
    })
  }
}
