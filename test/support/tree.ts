import { globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, posix, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '')

/** The folders that hold components, named as the YAML's sections. */
export const COMPONENT_FOLDERS = ['receivers', 'processors', 'exporters', 'connectors', 'extensions'] as const

const NOT_OURS = ['node_modules/**', 'dist/**', '.cache/**']

/** Paths below the repository with forward slashes, sorted; nothing installed or emitted. */
export function files(...patterns: readonly string[]): string[] {
  return globSync([...patterns], { cwd: root, exclude: NOT_OURS })
    .map((path) => path.split(sep).join('/'))
    .filter((path) => !statSync(join(root, path)).isDirectory())
    .sort()
}

/** The text of a file below the repository. */
export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** Source text without its comments, so that rules about code do not read prose. Line numbers stay. */
export function withoutComments(text: string): string {
  const token = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g
  return text.replaceAll(token, (found) => (found[0] === '/' ? found.replaceAll(/[^\n]/g, '') : found))
}

/** What a source file imports: relative paths resolved below the repository, everything else as it is written. */
export function imports(path: string): string[] {
  const found = withoutComments(read(path)).matchAll(/(?:(?<!\.)\bfrom\s|\bimport\s*\(?)\s*'([^']+)'/g)
  return [...found].map(([, specifier]) =>
    specifier!.startsWith('.') ? posix.join(dirname(path), specifier!) : specifier!,
  )
}

/** `path` as a link in the file `from` would have to spell it, made relative to the repository. */
export function resolveLink(from: string, path: string): string {
  return relative(root, join(root, dirname(from), path))
    .split(sep)
    .join('/')
}
