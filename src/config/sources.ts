import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { SluiceError } from '../errors.ts'
import { parseYaml } from './parse.ts'
import type { Report } from './problem.ts'
import { type Mapping, Source, type Tree } from './tree.ts'

/** What reading a configuration may touch. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Relative paths, also those of `${file:…}` in a file elsewhere, start here: as the Collector does. */
  readonly cwd: string
}

/** The part before the colon of a source or reference. Two characters at least, so that `C:\…` is a file. */
const LOCATION = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/s
const MAX_BYTES = 4 * 1024 * 1024
const HTTP_TIMEOUT_MS = 10_000

export interface Location {
  readonly scheme: string
  readonly rest: string
}

/** Undefined where `uri` has no scheme. */
export function parseLocation(uri: string): Location | undefined {
  const match = LOCATION.exec(uri)
  return match === null ? undefined : { scheme: match[1]!, rest: match[2]! }
}

/** Reads one `--config`. Undefined where it could not be read, which the report then says. */
export async function readConfigSource(
  uri: string,
  surroundings: Surroundings,
  report: Report,
): Promise<Tree | undefined> {
  const drive = /^[A-Za-z]:/.test(uri)
  const location = drive || !uri.includes(':') ? { scheme: 'file', rest: uri } : parseLocation(uri)
  report.files.push(location === undefined ? uri : nameOf(location))
  try {
    if (location === undefined) {
      throw new SluiceError(
        'CONFIG_SCHEME',
        'the part before the colon is no scheme; for a file write "file:" before it',
      )
    }
    const source = new Source(nameOf(location), await fetchText(location, surroundings))
    return asMapping(source, parseYaml(source), report)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    report.unreadable(codeOf(error), location === undefined ? uri : nameOf(location), error.message)
    return undefined
  }
}

/** Reads one `--set key.sub=value`: dots part keys, the value is YAML. */
export function readSetting(argument: string, report: Report): Tree | undefined {
  const equals = argument.indexOf('=')
  const key = argument.slice(0, Math.max(equals, 0)).trim()
  if (key === '') {
    report.unreadable('CONFIG_SET', '--set', 'expected key.sub=value, for example exporters.debug.verbosity=detailed')
    return undefined
  }
  const source = new Source(`--set ${key}`, argument)
  report.files.push(source.name)
  const { tree, errors } = parseYaml(source, { from: equals + 1 })
  for (const { code, place, message } of errors) report.problem(code, place, key.split('.'), message)
  const place = { source, offset: 0 }
  return { kind: 'map', place, entries: new Map([[key.replaceAll('.', '::'), { key: place, value: tree }]]) }
}

function asMapping(source: Source, parsed: ReturnType<typeof parseYaml>, report: Report): Tree | undefined {
  const { tree, errors } = parsed
  for (const { code, place, message } of errors) report.problem(code, place, [], message)
  if (tree.kind === 'map') return tree
  if (tree.kind === 'scalar' && tree.value === null) return emptyMapping(source)
  if (errors.length === 0) {
    const seen = tree.kind === 'list' ? 'a list' : 'a single value'
    const message = `expected a mapping with receivers, exporters, service, …, got ${seen}`
    report.problem('CONFIG_TYPE', tree.place, [], message)
  }
  return undefined
}

function emptyMapping(source: Source): Mapping {
  return { kind: 'map', place: { source, offset: 0 }, entries: new Map() }
}

/** The text that a file or http(s) location holds; `env:` and `yaml:` carry theirs with them. */
export async function fetchText(location: Location, surroundings: Surroundings): Promise<string> {
  switch (location.scheme) {
    case 'yaml':
      return location.rest
    case 'env': {
      const text = surroundings.env[location.rest]
      if (text === undefined) throw new SluiceError('CONFIG_READ', 'this environment variable is not set')
      return text
    }
    case 'file':
      return await readText(location.rest, surroundings.cwd)
    case 'http':
    case 'https':
      return await download(`${location.scheme}:${location.rest}`)
    default:
      throw new SluiceError(
        'CONFIG_SCHEME',
        `there is no scheme "${location.scheme}"; there are file, env, yaml, http and https`,
      )
  }
}

/** As problems name it. What may hold a password, the text behind `yaml:` and the user of an address, is left out. */
export function nameOf({ scheme, rest }: Location): string {
  if (scheme === 'file') return rest
  if (scheme === 'yaml') return 'yaml'
  return `${scheme}:${rest.replace(/^\/\/[^/]*@/, '//')}`
}

export function codeOf(error: SluiceError): 'CONFIG_READ' | 'CONFIG_SCHEME' | 'CONFIG_EXPANSION' {
  return error.code === 'CONFIG_SCHEME' || error.code === 'CONFIG_EXPANSION' ? error.code : 'CONFIG_READ'
}

async function readText(path: string, cwd: string): Promise<string> {
  try {
    // Nothing else runs yet, and `fs/promises` would be loaded for this alone: 4 ms.
    const bytes = readFileSync(resolve(cwd, path))
    if (bytes.byteLength > MAX_BYTES) throw tooLarge()
    return bytes.toString('utf8')
  } catch (error) {
    const why = READ_FAILURES[(error as NodeJS.ErrnoException).code ?? '']
    if (why === undefined) throw error
    throw new SluiceError('CONFIG_READ', `cannot be read: ${why}`, { cause: error })
  }
}

const READ_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'this is a folder',
  ELOOP: 'its symbolic links lead in a circle',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'the name is too long',
  ERR_INVALID_ARG_VALUE: 'the name holds a null byte',
}

async function download(address: string): Promise<string> {
  const url = URL.parse(address)
  if (url === null) throw new SluiceError('CONFIG_READ', 'is no address')
  const { username, password } = url
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  // fetch refuses an address with a user in it, in words that repeat the password.
  url.username = ''
  url.password = ''
  const headers = user === ':' ? {} : { authorization: `Basic ${Buffer.from(user).toString('base64')}` }
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(HTTP_TIMEOUT_MS) })
    if (!response.ok) throw new SluiceError('CONFIG_READ', `cannot be read: the server answers ${response.status}`)
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of response.body ?? []) {
      size += chunk.byteLength
      if (size > MAX_BYTES) throw tooLarge()
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString('utf8')
  } catch (error) {
    if (error instanceof SluiceError) throw error
    throw new SluiceError('CONFIG_READ', `cannot be read: ${failure(error)}`, { cause: error })
  }
}

function failure(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${HTTP_TIMEOUT_MS / 1000} s`
  const cause = error.cause as NodeJS.ErrnoException | undefined
  return cause?.code ?? cause?.message ?? error.message
}

function tooLarge(): SluiceError {
  return new SluiceError('CONFIG_READ', `is larger than ${MAX_BYTES / 1024 / 1024} MiB, which no configuration needs`)
}
