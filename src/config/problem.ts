import type { ConfigCode } from './codes.ts'
import { formatPath, type Path, type Place } from './tree.ts'

/** One thing wrong, or odd, in a configuration. Plain data. */
export interface Problem {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly col: number
  /** `processors.batch.timeout`; empty where a whole source is meant. */
  readonly path: string
  /** What was expected, what was seen, a way out. */
  readonly message: string
  readonly code: ConfigCode
}

/** `FILE:LINE:COL  path: message  (CODE)` */
export function formatProblem({ file, line, col, path, message, code }: Problem): string {
  return `${file}:${line}:${col}  ${path === '' ? '' : `${path}: `}${message}  (${code})`
}

/** Gathers what is found while a configuration is read, so that everything is said at once. */
export class Report {
  readonly problems: Problem[] = []
  readonly warnings: Problem[] = []
  readonly notes: Problem[] = []
  /** Names of the sources in the order in which they were given. */
  readonly files: string[] = []
  /** Paths of values that must not be printed. */
  readonly secrets: Path[] = []
  /** Where components name extensions, and which. */
  readonly extensionIds: { readonly path: Path; readonly place: Place; readonly id: string }[] = []

  problem(code: ConfigCode, place: Place, path: Path, message: string): void {
    this.problems.push(make(code, place, path, message))
  }

  /** Odd, but nothing that keeps the configuration from running. */
  warning(code: ConfigCode, place: Place, path: Path, message: string): void {
    this.warnings.push(make(code, place, path, message))
  }

  note(code: ConfigCode, place: Place, path: Path, message: string): void {
    this.notes.push(make(code, place, path, message))
  }

  /** A source that has no text to point into. */
  unreadable(code: ConfigCode, file: string, message: string): void {
    this.problems.push({ file, line: 1, col: 1, path: '', message, code })
  }
}

function make(code: ConfigCode, place: Place, path: Path, message: string): Problem {
  const { line, col } = place.source.position(place.offset)
  return { file: place.source.name, line, col, path: formatPath(path), message: withoutCredentials(message), code }
}

/** An endpoint that is quoted because it is wrong may hold a password all the same: `https://user:password@host`. */
function withoutCredentials(message: string): string {
  return message.includes('@')
    ? message.replace(/((?:^|["'\s])(?:[a-z][a-z0-9+.-]*:\/\/)?)[^\s"'/@:]*:[^\s"'/@]*@/gi, '$1[REDACTED]@')
    : message
}

/** In the order in which the sources were given, and from top to bottom in each. */
export function inReadingOrder(problems: readonly Problem[], files: readonly string[]): Problem[] {
  const rank = new Map(files.map((file, index) => [file, index]))
  const of = (problem: Problem): number => rank.get(problem.file) ?? files.length
  return problems.toSorted(
    (a, b) => of(a) - of(b) || (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.col - b.col,
  )
}
