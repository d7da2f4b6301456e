import { formatDuration } from './duration.ts'
import type { Field, Fields, Shape } from './field.ts'

/** The options of a component as Markdown: a table of what works, and one each of what has no effect and is not supported. */
export function referenceTable(definition: { readonly config: Fields }): string {
  const rows = rowsOf(definition.config, '')
  const parts: string[] = []
  const works = rows.filter(({ field: { shape } }) => shape.kind !== 'noEffect' && shape.kind !== 'unsupported')
  if (works.length === 0 && rows.length === 0) return 'It has no options.'
  if (works.length > 0) parts.push(table(['key', 'type', 'default', ''], works.map(optionRow)))
  for (const [kind, title] of [
    ['noEffect', 'Taken, because configurations have it, without effect:'],
    ['unsupported', 'Not supported, refused by name:'],
  ] as const) {
    const reasons = rows.flatMap(({ key, field: { shape } }) =>
      shape.kind === kind ? [[`\`${key}\``, upperFirst(shape.reason)]] : [],
    )
    if (reasons.length > 0) parts.push(title, table(['key', 'why'], reasons))
  }
  return parts.join('\n\n')
}

interface Row {
  readonly key: string
  readonly field: Field<unknown>
}

function rowsOf(fields: Fields, above: string): Row[] {
  return Object.entries(fields).flatMap(([name, field]) => fieldRows(field, `${above}${name}`))
}

/** The option itself, and below it what it is made of. */
function fieldRows(field: Field<unknown>, key: string): Row[] {
  return [{ key, field }, ...innerRows(field.shape, key)]
}

function innerRows(shape: Shape, key: string): Row[] {
  if (shape.kind === 'object') return rowsOf(shape.fields, `${key}.`)
  if (shape.kind === 'list') return innerRows(shape.item.shape, `${key}[]`)
  if (shape.kind === 'map') return innerRows(shape.value.shape, `${key}.<name>`)
  return []
}

function optionRow({ key, field }: Row): string[] {
  const doc = field.own ? `${field.doc} *Sluice's own.*` : field.doc
  return [`\`${key}\``, typeOf(field.shape), defaultOf(field), doc]
}

function typeOf(shape: Shape): string {
  switch (shape.kind) {
    case 'int':
    case 'number':
      return `${shape.kind === 'int' ? 'integer' : 'number'}${limits(shape.min, shape.max)}${shape.word === undefined ? '' : `, or \`${shape.word}\``}`
    case 'duration':
      return `duration${limits(durationText(shape.min), durationText(shape.max))}`
    case 'bool':
      return 'true, false'
    case 'string':
      if (shape.extension) return 'id of an extension'
      return shape.secret ? 'string, never shown' : shape.example ? `string like \`${shape.example}\`` : 'string'
    case 'enum':
      return shape.values.map((value) => `\`${value === '' ? '""' : value}\``).join(', ')
    case 'list':
      return `list of ${plural(shape.item.shape)}${shape.minItems ? `, at least ${shape.minItems}` : ''}`
    case 'map':
      return `mapping to ${plural(shape.value.shape)}${shape.pairs ? ', or list of `name` and `value`' : ''}`
    case 'object':
      return 'section'
    case 'any':
      return 'anything'
    default:
      return ''
  }
}

function plural(shape: Shape): string {
  if (shape.kind === 'object') return 'sections'
  if (shape.kind === 'string') return shape.extension ? 'ids of extensions' : 'strings'
  return typeOf(shape)
}

function defaultOf({ default: value, required, shape }: Field<unknown>): string {
  if (required) return '**required**'
  if (value === undefined) return shape.kind === 'object' ? 'off' : ''
  if (shape.kind === 'object') return 'on'
  if (shape.kind === 'list' || shape.kind === 'map') {
    return Object.keys(value as object).length === 0 ? 'none' : `\`${JSON.stringify(value)}\``
  }
  return `\`${typeof value === 'string' && value !== '' ? value : JSON.stringify(value)}\``
}

function durationText(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : formatDuration(ms)
}

function limits(min: number | string | undefined, max: number | string | undefined): string {
  if (min !== undefined && max !== undefined) return `, ${min} to ${max}`
  if (min !== undefined) return `, at least ${min}`
  return max === undefined ? '' : `, at most ${max}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

function upperFirst(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}
