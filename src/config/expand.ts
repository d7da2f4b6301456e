import { SluiceError } from '../errors.ts'
import { parseYaml } from './parse.ts'
import type { Report } from './problem.ts'
import { codeOf, fetchText, type Location, nameOf, parseLocation, type Surroundings } from './sources.ts'
import { type Entry, type Path, type Place, type Scalar, Source, type Tree, treeOf } from './tree.ts'

/** How many references one value may lead to, each counted as often as it is expanded. */
const MAX_EXPANSIONS = 1000
/** How many references may stand in one text. */
const MAX_REFERENCES = 100

const ENV_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const SECRET_NAME = /pass(wd|word|phrase)?($|_)|secret|token|credential|auth|api_?key|(access|private)_?key|_key$|dsn$/i

/**
 * Every `${scheme:…}` in the values of `tree` (keys are never expanded) replaced by what it stands for, and `$$` by `$`.
 *
 * A reference that is the whole value is read as YAML and keeps its text beside it, for options that want a string; one
 * inside a longer text is put in as text. Inner references come first, and what comes out is expanded again.
 */
export async function expand(tree: Tree, surroundings: Surroundings, report: Report): Promise<Tree> {
  return await new Expander(surroundings, report).walk(tree, [])
}

interface Budget {
  left: number
}

interface Retrieved {
  readonly text: string
  /** Where its YAML stands; undefined for what has no lines of its own. */
  readonly source?: Source
  /** The text is the value, and not YAML. */
  readonly verbatim?: boolean
  readonly secret?: boolean
}

class Expander {
  readonly #surroundings: Surroundings
  readonly #report: Report

  constructor(surroundings: Surroundings, report: Report) {
    this.#surroundings = surroundings
    this.#report = report
  }

  async walk(tree: Tree, path: Path, budget?: Budget): Promise<Tree> {
    if (tree.kind === 'list') {
      const items: Tree[] = []
      for (const [index, item] of tree.items.entries()) items.push(await this.walk(item, [...path, index], budget))
      return { ...tree, items }
    }
    if (tree.kind === 'map') {
      const entries = new Map<string, Entry>()
      for (const [key, entry] of tree.entries) {
        entries.set(key, { key: entry.key, value: await this.walk(entry.value, [...path, key], budget) })
      }
      return { ...tree, entries }
    }
    if (typeof tree.value !== 'string' || !tree.value.includes('$')) return tree
    return await this.#scalar(tree, tree.value, path, budget)
  }

  async #scalar(tree: Scalar, text: string, path: Path, budget: Budget | undefined): Promise<Tree> {
    if (budget === undefined && /^\$[a-zA-Z_]\w*$/.test(text)) {
      // Not echoed: it may be a password that begins with a dollar.
      const message = `a "$" without braces is plain text; for an environment variable write "\${env:NAME}", for a dollar "$$"`
      this.#report.warning('CONFIG_BARE_DOLLAR', tree.place, path, message)
    }
    if (budget !== undefined) return await this.#text(text, tree.place, path, budget)
    try {
      return await this.#text(text, tree.place, path, { left: MAX_EXPANSIONS })
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error
      this.#report.problem(codeOf(error), tree.place, path, error.message)
      return { kind: 'scalar', place: tree.place, value: null, broken: true }
    }
  }

  async #text(text: string, place: Place, path: Path, budget: Budget): Promise<Tree> {
    let current = text
    let secret = false
    let hint: string | undefined
    for (let replaced = 0; ; replaced++) {
      const found = findReference(current)
      if (found === undefined) break
      if (replaced === MAX_REFERENCES || budget.left-- <= 0) throw tooMany()
      const retrieved = await this.#retrieve(current.slice(found.start + 2, found.end - 1), place, path)
      secret ||= retrieved.secret ?? false
      if (found.end - found.start < current.length) {
        current = current.slice(0, found.start) + retrieved.text + current.slice(found.end)
        continue
      }
      const read = readValue(retrieved, place)
      if (typeof read.value === 'object') {
        const tree = await this.walk(read.value, path, budget)
        const original = await this.#original(retrieved.text, place, path, budget)
        const whole = secret ? secretly(tree) : tree
        return { ...whole, ...(original !== undefined && { text: original }) }
      }
      current = read.value
      hint = read.hint
    }
    return {
      ...treeOf(unescapeDollars(current), place),
      ...(secret && { secret }),
      ...(hint !== undefined && { hint }),
    }
  }

  /** The text of a value that is more than a string, with its own references expanded where they can be. */
  async #original(text: string, place: Place, path: Path, budget: Budget): Promise<string | undefined> {
    if (!text.includes('$')) return text
    try {
      const tree = await this.#text(text, place, path, budget)
      return tree.kind === 'scalar' && typeof tree.value === 'string' ? tree.value : undefined
    } catch (error) {
      if (error instanceof SluiceError) return undefined
      throw error
    }
  }

  async #retrieve(reference: string, place: Place, path: Path): Promise<Retrieved> {
    const location = parseLocation(reference.includes(':') ? reference : `env:${reference}`)
    if (location === undefined) {
      throw new SluiceError('CONFIG_EXPANSION', `"\${${reference}}" is no reference; write "\${env:NAME}"`)
    }
    if (location.rest.includes('$')) {
      throw new SluiceError('CONFIG_EXPANSION', `the reference "\${${nameOf(location)}}" holds a "$"`)
    }
    if (location.scheme === 'env') return this.#environment(location.rest, place, path)
    if (location.scheme === 'yaml') return { text: location.rest }
    return await this.#elsewhere(location)
  }

  #environment(reference: string, place: Place, path: Path): Retrieved {
    const [name = '', ...defaults] = reference.split(':-')
    if (!ENV_NAME.test(name)) {
      const message = `"${name}" is no name of an environment variable: letters, digits and "_", no digit first`
      throw new SluiceError('CONFIG_EXPANSION', message)
    }
    const secret = SECRET_NAME.test(name)
    const text = Object.hasOwn(this.#surroundings.env, name) ? this.#surroundings.env[name] : undefined
    if (text !== undefined) return { text, secret }
    if (defaults.length > 0) {
      const fallback = defaults.join(':-')
      // An empty default is an empty string; an empty text read as YAML would be nothing.
      return { text: fallback, secret, verbatim: fallback === '' }
    }
    const message = `the environment variable ${name} is not set, so this is empty; set it, or write "\${env:${name}:-default}"`
    this.#report.warning('CONFIG_UNSET_ENV', place, path, message)
    return { text: '' }
  }

  async #elsewhere(location: Location): Promise<Retrieved> {
    try {
      const text = await fetchText(location, this.#surroundings)
      const name = nameOf(location)
      return { text, source: new Source(name, text), secret: SECRET_NAME.test(name) }
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error
      const { scheme } = location
      const likely = error.code === 'CONFIG_SCHEME' && location.rest.startsWith('-')
      const way = likely ? `; did you mean "\${env:${scheme}:-…}"?` : ''
      const what = error.code === 'CONFIG_SCHEME' ? '' : `${nameOf(location)} `
      throw new SluiceError(error.code, `${what}${error.message}${way}`, { cause: error })
    }
  }
}

/** Everything in `tree` marked as secret. */
function secretly(tree: Tree): Tree {
  if (tree.kind === 'list') return { ...tree, secret: true, items: tree.items.map(secretly) }
  if (tree.kind === 'scalar') return { ...tree, secret: true }
  const entries = [...tree.entries].map(([key, entry]): [string, Entry] => [
    key,
    { key: entry.key, value: secretly(entry.value) },
  ])
  return { ...tree, secret: true, entries: new Map(entries) }
}

function readValue(retrieved: Retrieved, place: Place): { readonly value: string | Tree; readonly hint?: string } {
  const { text, source } = retrieved
  if (retrieved.verbatim) return { value: text }
  const { tree, errors } = parseYaml(source ?? new Source('', text), source === undefined ? { at: place } : {})
  const [error] = errors
  if (error !== undefined) {
    const { line, col } = error.place.source.position(error.place.offset)
    const where = source === undefined ? '' : ` (${source.name}:${line}:${col})`
    return { value: text, hint: `what the reference stands for is not YAML${where}: ${error.message}` }
  }
  // A string keeps quotes, comments and the line end of a file: it is the text itself, as in the Collector.
  return { value: tree.kind === 'scalar' && typeof tree.value === 'string' ? text : tree }
}

/**
 * The first reference that can be expanded now: the innermost of the leftmost group, unless an odd number of `$` before it
 * escapes it. The Collector gives up at the first escaped one; here those after it still count.
 */
function findReference(text: string): { readonly start: number; readonly end: number } | undefined {
  let from = 0
  for (;;) {
    const close = text.indexOf('}', from)
    if (close === -1) return undefined
    const open = text.lastIndexOf('${', close)
    if (open >= from) {
      let dollars = 0
      while (text[open - 1 - dollars] === '$') dollars++
      if (dollars % 2 === 0) return { start: open, end: close + 1 }
    }
    from = close + 1
  }
}

function unescapeDollars(text: string): string {
  return text.replaceAll('$$', '$')
}

function tooMany(): SluiceError {
  const message = `leads to more than ${MAX_EXPANSIONS} references, or ${MAX_REFERENCES} in one text; does it refer to itself?`
  return new SluiceError('CONFIG_EXPANSION', message)
}
