import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type ParsedNode,
  parseDocument,
  type YAMLMap,
  type YAMLSeq,
  type Pair as YamlPair,
} from 'yaml'
import type { Path } from '../tree.ts'
import type { Op } from './change.ts'
import { block, inline, lineEnd, lineStart, reindented, scalarLike, trimmedEnd } from './text-layout.ts'

type Pair = YamlPair<ParsedNode, ParsedNode | null>
type Mapping = YAMLMap<ParsedNode, ParsedNode | null>
type Sequence = YAMLSeq<ParsedNode>

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/**
 * YAML with one step taken, every byte that the step does not concern as it was. Undefined where that needs a person: the key stands
 * on a line with other things, or is spelled in a way (`a::b`) that has no place of its own.
 */
export function editText(text: string, op: Op): string | undefined {
  const document = parseDocument<ParsedNode>(text, { schema: 'failsafe', merge: false, uniqueKeys: false })
  const edits = new Editor(text, document).edits(op)
  if (edits === undefined) return undefined
  return edits
    .toSorted((a, b) => b.start - a.start)
    .reduce((edited, { start, end, text: put }) => edited.slice(0, start) + put + edited.slice(end), text)
}

class Editor {
  readonly #text: string
  readonly #document: Document.Parsed<ParsedNode>

  constructor(text: string, document: Document.Parsed<ParsedNode>) {
    this.#text = text
    this.#document = document
  }

  edits(op: Op): Edit[] | undefined {
    const parent = this.#follow(op.path.slice(0, -1))
    const last = op.path.at(-1)
    if (isSeq<ParsedNode>(parent) && typeof last === 'number') return this.#inSequence(parent, last, op)
    if (!isMap<ParsedNode, ParsedNode | null>(parent)) return undefined
    const found = this.#find(parent, String(last))
    return found === undefined ? undefined : this.#inMapping(found.map, found.pair, op)
  }

  #inSequence(list: Sequence, index: number, op: Op): Edit[] | undefined {
    const item = list.items[index]
    if (item === undefined) return undefined
    if (op.op === 'set') return this.#set(item, op.to)
    if (op.op !== 'remove') return undefined
    const [start, end] = item.range
    if (list.flow)
      return [
        this.#fromFlow(
          list.items.map(({ range }) => [range[0], range[1]] as const),
          index,
        ),
      ]
    const from = lineStart(this.#text, start)
    return /^\s*-\s+$/.test(this.#text.slice(from, start))
      ? [this.#lines(from, trimmedEnd(this.#text, end))]
      : undefined
  }

  #inMapping(map: Mapping, pair: Pair, op: Op): Edit[] | undefined {
    switch (op.op) {
      case 'rename': {
        const [start, end] = pair.key.range
        return [{ start, end, text: scalarLike(this.#text.slice(start, end), op.to, map.flow === true) }]
      }
      case 'set':
        return pair.value === null ? undefined : this.#set(pair.value, op.to)
      case 'remove': {
        const gone = this.#without(map, pair)
        return gone && [gone]
      }
      case 'replace': {
        const [start] = pair.key.range
        const end = this.#endOf(pair)
        if (map.flow) return [{ start, end, text: `${op.key}: ${inline(op.value)}` }]
        const indent = this.#indentOf(pair)
        return indent === undefined ? undefined : [{ start, end, text: block(op.key, op.value, indent, this.#eol) }]
      }
      default:
        return this.#move(map, pair, op.into, op.as)
    }
  }

  #set(node: ParsedNode, to: string): Edit[] | undefined {
    if (!isScalar(node) || node.range[0] === node.range[1]) return undefined
    const [start, end] = node.range
    return [{ start, end, text: scalarLike(this.#text.slice(start, end), to, true) }]
  }

  #move(map: Mapping, pair: Pair, into: string, as: string): Edit[] | undefined {
    const text = this.#text
    const [start, keyEnd] = pair.key.range
    const end = this.#endOf(pair)
    const target = map.items.find(({ key }) => isScalar(key) && key.value === into)
    const body = (to: number): string => as + text.slice(keyEnd, to)
    if (map.flow) {
      if (target === undefined) return [{ start, end, text: `${into}: {${body(end)}}` }]
      const gone = this.#without(map, pair)
      return gone && isMap<ParsedNode, ParsedNode | null>(target.value) && target.value.flow
        ? [gone, this.#intoFlow(target.value, body(end))]
        : undefined
    }
    const indent = this.#indentOf(pair)
    if (indent === undefined) return undefined
    const deeper = `${indent}  `
    if (target === undefined) {
      const inside = reindented(body(end), 2)
      return [{ start, end, text: `${into}:${this.#eol}${deeper}${inside}` }]
    }
    const gone = this.#without(map, pair)
    const { value } = target
    if (gone === undefined) return undefined
    if (isMap<ParsedNode, ParsedNode | null>(value) && value.flow) {
      const plain = body(end)
      return /[\n,[\]{}#]/.test(plain) ? undefined : [gone, this.#intoFlow(value, plain)]
    }
    const whole = body(lineEnd(text, end))
    if (isMap<ParsedNode, ParsedNode | null>(value) && value.items.length > 0) {
      const [first, last] = [value.items[0]!, value.items.at(-1)!]
      const inner = this.#indentOf(first)
      if (inner === undefined) return undefined
      const at = lineEnd(text, this.#endOf(last))
      return [gone, { start: at, end: at, text: this.#eol + inner + reindented(whole, inner.length - indent.length) }]
    }
    if (value !== null && !(isScalar(value) && value.range[0] === value.range[1])) return undefined
    const at = lineEnd(text, target.key.range[1])
    return [gone, { start: at, end: at, text: this.#eol + deeper + reindented(whole, 2) }]
  }

  #intoFlow(map: Mapping, pair: string): Edit {
    const last = map.items.at(-1)
    const at = last === undefined ? map.range![0] + 1 : this.#endOf(last)
    return { start: at, end: at, text: last === undefined ? pair : `, ${pair}` }
  }

  #without(map: Mapping, pair: Pair): Edit | undefined {
    if (map.flow) {
      const ranges = map.items.map((item) => [item.key.range[0], this.#endOf(item)] as const)
      return this.#fromFlow(ranges, map.items.indexOf(pair))
    }
    if (this.#indentOf(pair) === undefined) return undefined
    return this.#lines(lineStart(this.#text, pair.key.range[0]), this.#endOf(pair))
  }

  /** One of several between commas. */
  #fromFlow(ranges: readonly (readonly [start: number, end: number])[], index: number): Edit {
    const [start, end] = ranges[index]!
    const next = ranges[index + 1]
    if (next !== undefined) return { start, end: next[0], text: '' }
    return { start: index > 0 ? ranges[index - 1]![1] : start, end, text: '' }
  }

  /** Whole lines, with the comment behind the last one and its end. */
  #lines(start: number, end: number): Edit {
    const last = lineEnd(this.#text, end)
    const after = this.#text.startsWith('\r\n', last) ? last + 2 : Math.min(last + 1, this.#text.length)
    return { start, end: after, text: '' }
  }

  /** The end of the value, or of the colon where there is none. */
  #endOf({ key, value }: Pair): number {
    const colon = this.#text.indexOf(':', key.range[1]) + 1
    return trimmedEnd(this.#text, Math.max(colon, isEmptyScalar(value) ? 0 : (value?.range[1] ?? 0)))
  }

  /** What stands before the key on its line; undefined where that is more than spaces. */
  #indentOf({ key }: Pair): string | undefined {
    const [start] = key.range
    const before = this.#text.slice(lineStart(this.#text, start), start)
    return /^ *$/.test(before) ? before : undefined
  }

  get #eol(): string {
    return this.#text.includes('\r\n') ? '\r\n' : '\n'
  }

  #follow(path: Path): ParsedNode | undefined {
    let node = this.#resolved(this.#document.contents)
    for (const part of path) {
      if (isSeq<ParsedNode>(node) && typeof part === 'number') node = this.#resolved(node.items[part])
      else if (isMap<ParsedNode, ParsedNode | null>(node)) {
        node = this.#resolved(this.#find(node as Mapping, String(part))?.pair.value)
      } else return undefined
    }
    return node
  }

  #resolved(node: ParsedNode | null | undefined): ParsedNode | undefined {
    return (isAlias(node) ? (node.resolve(this.#document) as ParsedNode | undefined) : node) ?? undefined
  }

  /** The pair with this key, where merge keys lead to another mapping, in that. */
  #find(map: Mapping, name: string): { readonly map: Mapping; readonly pair: Pair } | undefined {
    const pair = map.items.find(({ key }) => isScalar(key) && key.value === name)
    if (pair !== undefined) return { map, pair }
    for (const { key, value } of map.items) {
      if (!isScalar(key) || key.value !== '<<') continue
      const merged = this.#resolved(value)
      for (const each of isSeq<ParsedNode>(merged) ? merged.items : [merged]) {
        const base = this.#resolved(each)
        const found = isMap<ParsedNode, ParsedNode | null>(base) ? this.#find(base as Mapping, name) : undefined
        if (found !== undefined) return found
      }
    }
    return undefined
  }
}

function isEmptyScalar(node: ParsedNode | null): boolean {
  return isScalar(node) && node.range[0] === node.range[1]
}
