import type { Signal } from '../../../src/otlp/batch.ts'
import { type FieldSchema, type MessageSchema, REQUESTS } from '../../../src/otlp/schema.ts'
import type { Random } from './random.ts'

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** The document spelled as another writer might: every choice that OTLP/JSON leaves, taken at random. */
export function unusualJson(signal: Signal, json: Uint8Array, random: Random): Uint8Array {
  const parsed = JSON.parse(new TextDecoder().decode(json)) as Json
  return new TextEncoder().encode(message(REQUESTS[signal], parsed, random))
}

function message(schema: MessageSchema, value: Json, random: Random): string {
  const members: string[] = []
  const entries = Object.entries(value as Record<string, Json>)
  for (let n = entries.length; n > 0; n--) {
    const [name, content] = entries.splice(random.below(entries.length), 1)[0]!
    const field = schema.byName.get(name)!
    const key = random.chance(0.3) ? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : name
    const text = field.repeated
      ? list(
          (content as readonly Json[]).map((element) => single(field, element, random)),
          random,
        )
      : single(field, content, random)
    if (random.chance(0.03) && !field.repeated && field.oneof === undefined) members.push(`"${name}":null`)
    members.push(`${string(key, random, 0.02)}${space(random)}:${space(random)}${text}`)
    if (random.chance(0.05)) members.push('"unknown":{"a":[1,"]}",null]}')
  }
  return `{${space(random)}${members.join(`${space(random)},${space(random)}`)}${space(random)}}`
}

function list(elements: readonly string[], random: Random): string {
  return `[${space(random)}${elements.join(`${space(random)},${space(random)}`)}${space(random)}]`
}

function single(field: FieldSchema, value: Json, random: Random): string {
  if (field.message) return message(field.message, value, random)
  switch (field.type) {
    case 'string':
      return string(value as string, random, 0.1)
    case 'bytes': {
      let text = value as string
      if (field.hex) return `"${random.chance(0.3) ? text.toUpperCase() : text}"`
      if (random.chance(0.3)) text = text.replace(/=/g, '')
      if (random.chance(0.3)) text = text.replace(/\+/g, '-').replace(/\//g, '_')
      return string(text, random, 0.05)
    }
    case 'bool':
      return plain(value)
    case 'enum': {
      const name = field.values?.[value as number]
      return name !== undefined && random.chance(0.4) ? `"${name}"` : plain(value)
    }
    case 'double':
      if (typeof value === 'string') return `"${value}"`
      return number(Object.is(value, -0) ? '-0' : plain(value), random)
    default:
      return number(plain(value), random)
  }
}

/** A number bare or in quotes, and if it is whole, perhaps with an exponent. */
function number(digits: string, random: Random): string {
  let text = digits
  if (/^-?\d+$/.test(text) && random.chance(0.1)) {
    const zeros = /0*$/.exec(text)![0].length
    if (zeros > 0 && zeros < text.replace('-', '').length) text = `${text.slice(0, -zeros)}e${zeros}`
    else text += random.pick(['.0', 'e0', 'E+00'])
  }
  return random.chance(0.5) ? `"${text}"` : text
}

function string(text: string, random: Random, escaped: number): string {
  const json = JSON.stringify(text)
  if (!random.chance(escaped)) return json
  return `"${Array.from(text, (letter) => (random.chance(0.5) ? JSON.stringify(letter).slice(1, -1) : unicodeEscape(letter))).join('')}"`
}

function unicodeEscape(letter: string): string {
  let escaped = ''
  for (let i = 0; i < letter.length; i++) escaped += `\\u${letter.charCodeAt(i).toString(16).padStart(4, '0')}`
  return escaped
}

function space(random: Random): string {
  return random.chance(0.1) ? random.pick([' ', '\n', '\r\n', '\t ']) : ''
}

function plain(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The document with one to three values, keys or elements in it put in place of others, left out or doubled: JSON still, OTLP perhaps. */
export function alteredJson(json: Uint8Array, random: Random): Uint8Array {
  const document = JSON.parse(new TextDecoder().decode(json)) as Tree
  const places: [Tree, string][] = []
  collect(document, places)
  for (let n = 1 + random.below(3); n > 0 && places.length > 0; n--) alter(...random.pick(places), random)
  return new TextEncoder().encode(JSON.stringify(document))
}

type Tree = { [name: string]: Json | Tree }

function collect(tree: Tree, places: [Tree, string][]): void {
  for (const [name, value] of Object.entries(tree)) {
    places.push([tree, name])
    if (typeof value === 'object' && value !== null) collect(value as Tree, places)
  }
}

const OTHERS: readonly Json[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  1.5,
  4294967296,
  '',
  '0',
  '-1',
  '+7',
  '007',
  '1.5',
  '1e3',
  'NaN',
  'inf',
  '-Infinity',
  '00112233445566778899aabbccddeeff',
  '0123456789abcdef',
  '/w==',
  '/w',
  'SPAN_KIND_SERVER',
  'x',
  '18446744073709551615',
  [],
  {},
  [{}],
  [null],
  ['a'],
  ['1', 2],
  { stringValue: 'x' },
  { intValue: '5' },
  { values: [] },
]

function alter(tree: Tree, name: string, random: Random): void {
  const value = tree[name]
  switch (random.below(5)) {
    case 0:
      delete tree[name]
      break
    case 1:
      tree[name === '0' || Array.isArray(tree) ? name : random.pick([`${name}x`, name.toUpperCase(), `_${name}`])] =
        value!
      break
    case 2:
      if (typeof value === 'string') tree[name] = value.slice(random.below(3))
      break
    default:
      tree[name] = random.pick(OTHERS)
  }
}
