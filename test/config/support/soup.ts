import { type Arbitrary, array, constantFrom, oneof, string } from 'fast-check'

const WORDS = 'receivers exporters service pipelines traces otlp debug forward processors connectors'.split(' ')
const SYNTAX = [
  ': ',
  ':\n',
  '\n',
  '\n  ',
  '\n    ',
  '- ',
  '[',
  ']',
  '{',
  '}',
  ', ',
  '&a ',
  '*a',
  '<<: ',
  '"',
  "'",
  '|',
  '>',
  '!!str ',
  '?',
]
const ODD = [
  '$',
  '$' + '{',
  'env:X',
  ':-',
  '::',
  '#',
  '---\n',
  '...\n',
  '%YAML',
  '\t',
  '\0',
  '\uFEFF',
  '\uD800',
  '1e999',
]
const token = constantFrom(...WORDS, ...SYNTAX, ...ODD)
/** Text that is hardly ever YAML, made of what YAML and configurations are made of. */
export const soup: Arbitrary<string> = oneof(
  string({ unit: 'binary' }),
  array(token).map((tokens) => tokens.join('')),
)
