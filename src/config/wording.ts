import type { Fields } from './field.ts'
import { didYouMean } from './nearest.ts'
import { formatPath, type Scalar, type Tree } from './tree.ts'

/** What was seen, for an error: never a secret, never a whole document. */
export function describe(tree: Tree, hidden: boolean): string {
  if (tree.kind === 'list') return 'a list'
  if (tree.kind === 'map') return 'a mapping'
  if (tree.value === null) return 'nothing'
  if (hidden) return `a ${typeof tree.value} that is kept secret`
  if (tree.hint !== undefined) return 'text'
  return typeof tree.value === 'string' ? quote(tree.value) : written(tree)
}

/** A scalar as the YAML spells it. */
export function written(tree: Scalar): string {
  return tree.raw ?? String(tree.value)
}

/** In quotes, cut where it gets long. */
export function quote(text: string): string {
  const shown = text.length > 60 ? `${text.slice(0, 57)}…` : text
  return JSON.stringify(shown)
}

/** ` from 1 to 5`, ` of at least 1`, or nothing. */
export function bounds(min: number | string | undefined, max: number | string | undefined): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`
  if (min !== undefined) return ` of at least ${min}`
  return max === undefined ? '' : ` of at most ${max}`
}

/** A near miss among the siblings; else the place further in where the key would be right. */
export function suggest(key: string, fields: Fields): string {
  const near = didYouMean(key, Object.keys(fields))
  if (near !== '') return near
  const [elsewhere] = paths(key, fields, [])
  if (elsewhere !== undefined) return `; it belongs under "${formatPath(elsewhere)}"`
  const names = Object.keys(fields)
  if (names.length === 0) return '; this takes none'
  return names.length > 12 ? '' : `; there are ${names.join(', ')}`
}

function paths(key: string, fields: Fields, above: readonly string[]): string[][] {
  return Object.entries(fields).flatMap(([name, { shape }]) => {
    if (shape.kind !== 'object') return []
    const here = [...above, name]
    return Object.hasOwn(shape.fields, key) ? [here] : paths(key, shape.fields, here)
  })
}

/** The sentence that documents an option, for the middle of another. */
export function lowerFirst(text: string): string {
  const plainText = text.replace(/\.$/, '')
  return /^[A-Z][a-z]/.test(plainText) ? plainText.charAt(0).toLowerCase() + plainText.slice(1) : plainText
}
