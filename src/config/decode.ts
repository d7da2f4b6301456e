import { formatDuration, parseDuration } from './duration.ts'
import type { Field, Fields, Shape } from './field.ts'
import { didYouMean } from './nearest.ts'
import { entriesOfPairs } from './pairs.ts'
import { Report } from './problem.ts'
import { resolvePlain } from './scalar.ts'
import { isEmpty, type Path, type Place, plain, Source, type Tree, treeOf } from './tree.ts'
import { bounds, describe, lowerFirst, quote, suggest, written } from './wording.ts'

/** Stands for a value that is wrong; why is in the report. */
export const INVALID = Symbol('invalid')

/** Names of mappings whose values go to a server as they are, which is where keys and tokens stand. */
const SECRET_MAPS = new Set(['headers', 'response_headers', 'metadata'])

/**
 * Turns what the YAML says into the value that `fields` describe: checked, defaults filled, durations in ms. Everything
 * wrong goes to `report`, and INVALID comes back. `at` is where a missing key is reported.
 */
export function decodeFields(
  fields: Fields,
  tree: Tree | undefined,
  path: Path,
  at: Place,
  report: Report,
): Record<string, unknown> | typeof INVALID {
  return new Decoder(report).object(fields, tree, path, at)
}

class Decoder {
  readonly #report: Report

  constructor(report: Report) {
    this.#report = report
  }

  object(
    fields: Fields,
    tree: Tree | undefined,
    path: Path,
    at: Place,
    defaults: Readonly<Record<string, unknown>> = {},
  ): Record<string, unknown> | typeof INVALID {
    if (tree?.broken) return INVALID
    if (tree !== undefined && !isEmpty(tree) && tree.kind !== 'map') return this.#mistyped(tree, path, 'a mapping')
    const entries = tree?.kind === 'map' ? tree.entries : undefined
    let valid = true
    for (const [key, entry] of entries ?? []) {
      if (Object.hasOwn(fields, key)) continue
      valid = false
      const message = `there is no such option${suggest(key, fields)}`
      this.#report.problem('CONFIG_UNKNOWN_KEY', entry.key, [...path, key], message)
    }
    const value: Record<string, unknown> = {}
    for (const [key, field] of Object.entries(fields)) {
      const entry = entries?.get(key)
      const decoded = this.#member(field, defaults[key], entry?.value, [...path, key], entry?.key ?? at)
      if (decoded === INVALID) valid = false
      else if (decoded !== undefined) value[key] = decoded
    }
    return valid ? value : INVALID
  }

  /** One option, there or not. */
  #member(field: Field<unknown>, override: unknown, tree: Tree | undefined, path: Path, place: Place): unknown {
    const { shape } = field
    if (shape.kind === 'unsupported' || shape.kind === 'noEffect') {
      if (tree === undefined) return undefined
      if (shape.kind === 'unsupported') {
        this.#report.problem('CONFIG_UNSUPPORTED', place, path, `not supported: ${shape.reason}`)
        return INVALID
      }
      this.#report.note('CONFIG_NO_EFFECT', place, path, `has no effect: ${shape.reason}`)
      return undefined
    }
    const fallback = override === undefined ? field.default : override
    if (tree?.broken) return INVALID
    const absent = tree === undefined || (isEmpty(tree) && tree.text === undefined)
    // A section without a default is off until its key is there, and then on with its defaults.
    if (shape.kind === 'object' && (tree !== undefined || fallback !== undefined)) {
      return this.object(shape.fields, tree, path, place, asRecord(fallback))
    }
    if (shape.kind === 'any' && tree !== undefined) return this.value(field, tree, path, false)
    // A reference whose value is nothing still is an empty string to an option that wants one.
    const value = absent ? undefined : this.value(field, tree, path, false)
    if (value !== undefined) return value
    if (fallback !== undefined) return decodeDefault(field, fallback)
    if (!field.required) return undefined
    this.#report.problem('CONFIG_REQUIRED', place, path, `must be set: ${lowerFirst(field.doc)}`)
    return INVALID
  }

  /** Undefined where there is nothing, so that the default counts. */
  value(field: Field<unknown>, tree: Tree, path: Path, secret: boolean): unknown {
    if (tree.broken) return INVALID
    const { shape } = field
    const hidden = secret || tree.secret === true || (shape.kind === 'string' && shape.secret === true)
    if (hidden) this.#report.secrets.push(path)
    switch (shape.kind) {
      case 'bool':
        return this.#scalar(tree, path, hidden, 'true or false', (value) => typeof value === 'boolean')
      case 'int':
      case 'number':
        return this.#number(shape, tree, path, hidden)
      case 'string':
        return this.#string(shape, tree, path, hidden)
      case 'enum':
        return this.#enum(shape, tree, path, hidden)
      case 'duration':
        return this.#duration(shape, tree, path, hidden)
      case 'list':
        return this.#list(shape, tree, path, hidden)
      case 'map':
        return this.#map(shape, tree, path, hidden)
      case 'object':
        return this.object(shape.fields, tree, path, tree.place, asRecord(field.default))
      case 'any':
        this.#hide(tree, path)
        return plain(tree)
      default:
        return INVALID
    }
  }

  /** `meant` is what a text without its quotes has to fit for that to be the way out. */
  #scalar(
    tree: Tree,
    path: Path,
    hidden: boolean,
    expected: string,
    fits: (value: unknown) => boolean,
    meant = fits,
  ): unknown {
    if (isEmpty(tree)) return undefined
    if (tree.kind !== 'scalar') return this.#mistyped(tree, path, expected, hidden)
    if (fits(tree.value)) return tree.value
    const bare = typeof tree.value === 'string' && !hidden && meant(resolvePlain(tree.value))
    return this.#mistyped(tree, path, expected, hidden, bare ? '; without quotes it is one' : '')
  }

  #number(shape: Shape & { kind: 'int' | 'number' }, tree: Tree, path: Path, hidden: boolean): unknown {
    if (shape.word !== undefined && stringOf(tree) === shape.word) return shape.word
    const word = shape.word === undefined ? '' : ` or ${shape.word}`
    const expected = `${shape.kind === 'int' ? 'an integer' : 'a number'}${bounds(shape.min, shape.max)}${word}`
    const fits = (value: unknown): boolean =>
      typeof value === 'number' && (shape.kind === 'int' ? Number.isSafeInteger(value) : !Number.isNaN(value))
    const within = (value: unknown): boolean =>
      fits(value) && Number(value) >= (shape.min ?? -Infinity) && Number(value) <= (shape.max ?? Infinity)
    const value = this.#scalar(tree, path, hidden, expected, fits, within)
    if (typeof value !== 'number') return value
    if (!within(value)) {
      return this.#wrong(tree, path, `expected ${expected}${hidden ? '' : `, got ${value}`}`)
    }
    return value
  }

  #string(shape: Shape & { kind: 'string' }, tree: Tree, path: Path, hidden: boolean): unknown {
    const text = stringOf(tree)
    if (text === undefined && isEmpty(tree)) return undefined
    if (text === undefined) {
      const fix = tree.kind === 'scalar' && !hidden ? `; in quotes it is one: "${written(tree)}"` : ''
      return this.#mistyped(tree, path, 'a string', hidden, fix)
    }
    if (shape.extension) this.#report.extensionIds.push({ path, place: tree.place, id: text })
    if (shape.pattern === undefined || shape.pattern.test(text)) return text
    const like = shape.example === undefined ? `text that fits ${shape.pattern.source}` : `text like "${shape.example}"`
    return this.#wrong(tree, path, `expected ${like}${hidden ? '' : `, got ${quote(text)}`}`)
  }

  #enum(shape: Shape & { kind: 'enum' }, tree: Tree, path: Path, hidden: boolean): unknown {
    const expected = `one of ${shape.values.map((value) => (value === '' ? '""' : value)).join(', ')}`
    const text = stringOf(tree)
    if (text === undefined) return this.#mistyped(tree, path, expected, hidden)
    if (shape.values.includes(text)) return text
    const folded = shape.anyCase ? shape.values.find((value) => value.toLowerCase() === text.toLowerCase()) : undefined
    if (folded !== undefined) return folded
    const seen = hidden ? '' : `, got ${quote(text)}${didYouMean(text, shape.values)}`
    return this.#wrong(tree, path, `expected ${expected}${seen}`)
  }

  #duration(shape: Shape & { kind: 'duration' }, tree: Tree, path: Path, hidden: boolean): unknown {
    const expected = `a duration like "200ms" or "1h30m"`
    if (isEmpty(tree)) return undefined
    if (tree.kind !== 'scalar') return this.#mistyped(tree, path, expected, hidden)
    const text = String(tree.value)
    const ms = typeof tree.value === 'boolean' ? undefined : parseDuration(text)
    if (ms === undefined) {
      const bare = /^[-+]?[\d.]+$/.test(text) && !hidden
      // Nobody writes 200 for minutes; a small number is more likely seconds.
      const guess = Number(text) < 100 ? 's' : 'ms'
      return this.#mistyped(tree, path, expected, hidden, bare ? `; did you mean "${text}${guess}"?` : '')
    }
    const min = shape.min ?? 0
    if (ms >= min && ms <= (shape.max ?? Infinity)) return ms
    const limits = bounds(formatDuration(min), shape.max === undefined ? undefined : formatDuration(shape.max))
    return this.#wrong(tree, path, `expected a duration${limits}${hidden ? '' : `, got ${quote(text)}`}`)
  }

  #list(shape: Shape & { kind: 'list' }, tree: Tree, path: Path, hidden: boolean): unknown {
    if (isEmpty(tree)) return undefined
    const expected = `a list${shape.minItems ? ` of at least ${shape.minItems}` : ''}`
    const items = listItems(tree, shape.commas === true)
    if (items === undefined) {
      const fix = tree.kind === 'scalar' && !hidden ? `; in brackets it is one: [${written(tree)}]` : ''
      return this.#mistyped(tree, path, expected, hidden, fix)
    }
    if (items.length < (shape.minItems ?? 0))
      return this.#wrong(tree, path, `expected ${expected}, got ${items.length}`)
    return this.#each(items, (item, index) => this.#item(shape.item, item, [...path, index], hidden))
  }

  #map(shape: Shape & { kind: 'map' }, tree: Tree, path: Path, hidden: boolean): unknown {
    if (isEmpty(tree)) return undefined
    const secret = hidden || SECRET_MAPS.has(String(path.at(-1)))
    if (tree.kind !== 'map' && (tree.kind !== 'list' || shape.pairs !== true)) {
      return this.#mistyped(tree, path, 'a mapping', secret)
    }
    const { entries, valid } =
      tree.kind === 'map' ? { entries: tree.entries, valid: true } : entriesOfPairs(tree, path, secret, this.#report)
    const values = this.#each([...entries], ([key, entry]) =>
      this.#item(shape.value, entry.value, [...path, key], secret),
    )
    if (values === INVALID || !valid) return INVALID
    // fromEntries defines properties, so that a key `__proto__` stays a key.
    return Object.fromEntries([...entries.keys()].map((key, index) => [key, (values as unknown[])[index]]))
  }

  #item(field: Field<unknown>, tree: Tree, path: Path, hidden: boolean): unknown {
    const value = this.value(field, tree, path, hidden)
    if (value !== undefined) return value
    if (field.default !== undefined) return decodeDefault(field, field.default)
    return field.required === true || field.shape.kind !== 'any' ? this.#mistyped(tree, path, 'a value') : null
  }

  /** All of them, so that every problem is found; INVALID if any is. */
  #each<T>(items: readonly T[], decode: (item: T, index: number) => unknown): unknown[] | typeof INVALID {
    const values = items.map(decode)
    return values.includes(INVALID) ? INVALID : values
  }

  #hide(tree: Tree, path: Path): void {
    if (tree.secret) this.#report.secrets.push(path)
    if (tree.kind === 'list') for (const [index, item] of tree.items.entries()) this.#hide(item, [...path, index])
    if (tree.kind === 'map') for (const [key, entry] of tree.entries) this.#hide(entry.value, [...path, key])
  }

  #mistyped(tree: Tree, path: Path, expected: string, hidden = tree.secret === true, fix = ''): typeof INVALID {
    const hint = tree.hint === undefined || hidden ? '' : `; ${tree.hint}`
    const message = `expected ${expected}, got ${describe(tree, hidden)}${fix}${hint}`
    this.#report.problem('CONFIG_TYPE', tree.place, path, message)
    return INVALID
  }

  #wrong(tree: Tree, path: Path, message: string): typeof INVALID {
    this.#report.problem('CONFIG_VALUE', tree.place, path, message)
    return INVALID
  }
}

/** What an option is when nobody sets it. A default that its own field refuses is a defect of the definition. */
function decodeDefault(field: Field<unknown>, fallback: unknown): unknown {
  const report = new Report()
  const place = { source: new Source('default', ''), offset: 0 }
  const value = new Decoder(report).value(field, treeOf(fallback, place), [], false)
  const [problem] = report.problems
  if (problem !== undefined) throw new Error(`the default of "${field.doc}" is refused: ${problem.message}`)
  return value
}

/** A string option takes a string, or the text of a reference whose value YAML reads as something else. */
function stringOf(tree: Tree): string | undefined {
  if (tree.text !== undefined) return tree.text
  return tree.kind === 'scalar' && typeof tree.value === 'string' ? tree.value : undefined
}

/** A list of strings may be one string with commas, as in the Collector. */
function listItems(tree: Tree, commas: boolean): readonly Tree[] | undefined {
  if (tree.kind === 'list') return tree.items
  if (!commas || tree.kind !== 'scalar' || typeof tree.value !== 'string') return undefined
  if (tree.value === '') return []
  return tree.value.split(',').map((part) => ({ ...tree, value: part }))
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
