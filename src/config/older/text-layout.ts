import { stringify } from 'yaml'

/** Where lines begin and end in a text, and how values look that are put into it. */

export function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1
}

/** The end of the line, before what ends it. */
export function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  if (end < 0) return text.length
  return text[end - 1] === '\r' && end > at ? end - 1 : end
}

/** `end`, or the last position before it that no whitespace precedes. */
export function trimmedEnd(text: string, end: number): number {
  return text.slice(0, end).trimEnd().length
}

/** The text with every line but the first `by` columns further in; further out where that is negative. */
export function reindented(text: string, by: number): string {
  return text
    .split('\n')
    .map((line, index) => {
      if (index === 0 || line.trim() === '') return line
      return by >= 0 ? ' '.repeat(by) + line : line.slice(Math.min(-by, line.length - line.trimStart().length))
    })
    .join('\n')
}

/** What may stand as it is, in either style, and is read as a string or as what it is meant to be. */
const PLAIN = /^[\w./][\w./:@-]*(?: [\w./-]+)*$/

/** `text` in the quotes that `old` had, if any. */
export function scalarLike(old: string, text: string, flow: boolean): string {
  if (old.startsWith("'")) return `'${text.replaceAll("'", "''")}'`
  if (old.startsWith('"')) return JSON.stringify(text)
  return PLAIN.test(text) || (!flow && !/[:#] |^[\s&*!|>'"%@`?{}[\],-]|: *$/.test(text)) ? text : JSON.stringify(text)
}

/** Plain data in flow style. */
export function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, item]) => `${key}: ${inline(item)}`)
      .join(', ')}}`
  }
  return scalarLike('', String(value), true)
}

/** A key and its value in block style, the first line without its indentation. */
export function block(key: string, value: unknown, indent: string, eol: string): string {
  return stringify({ [key]: value }, { lineWidth: 0 })
    .trimEnd()
    .split('\n')
    .join(eol + indent)
}
