import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Pair,
  type ParsedNode,
  parseAllDocuments,
  type Scalar,
  type YAMLMap,
  type Document as YamlDocument,
} from 'yaml'
import type { ConfigCode } from './codes.ts'
import { resolvePlain } from './scalar.ts'
import type { Entry, Place, Source, Tree } from './tree.ts'

/** Nodes of a tree with every alias written out. The largest configuration seen has some 20,000. */
const MAX_NODES = 200_000
const MAX_DEPTH = 200

/** More would repeat one mistake in other words. */
const MAX_SYNTAX_ERRORS = 5

export interface ParseOptions {
  /** Where in the source the YAML begins; 0 if not given. */
  readonly from?: number
  /** Every value is said to stand here: for a text that a reference in another source stands for. */
  readonly at?: Place
}

export interface YamlError {
  readonly code: ConfigCode
  readonly place: Place
  readonly message: string
}

/** Reads one YAML document. With errors, `tree` holds what could be read, for the sake of further problems. */
export function parseYaml(
  source: Source,
  options: ParseOptions = {},
): { readonly tree: Tree; readonly errors: readonly YamlError[] } {
  const reader = new Reader(source, options)
  try {
    return { tree: reader.read(), errors: reader.errors }
  } catch (error) {
    // The composer of `yaml` is recursive: brackets nested some thousands deep exhaust the stack.
    if (!(error instanceof RangeError)) throw error
    reader.error('CONFIG_TOO_LARGE', 0, 'nested too deeply to be read')
    return { tree: reader.empty(0), errors: reader.errors }
  }
}

type Documents = ReturnType<typeof parseAllDocuments<ParsedNode>>
type AnyDocument = YamlDocument.Parsed<ParsedNode>

class Reader {
  readonly errors: YamlError[] = []
  readonly #source: Source
  readonly #from: number
  readonly #at: Place | undefined
  readonly #anchors = new Map<string, { tree: Tree; size: number } | 'open'>()
  #nodes = 0
  #full = false

  constructor(source: Source, { from = 0, at }: ParseOptions) {
    this.#source = source
    this.#from = from
    this.#at = at
  }

  read(): Tree {
    // failsafe: every scalar stays text, because what a plain one means is go-yaml's decision (scalar.ts).
    const documents: Documents = parseAllDocuments<ParsedNode>(this.#source.text.slice(this.#from), {
      schema: 'failsafe',
      merge: false,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
    })
    if ('empty' in documents) return this.empty(0)
    const [first, ...others] = documents as readonly AnyDocument[]
    if (first === undefined) return this.empty(0)
    for (const { code, message, pos } of first.errors.slice(0, MAX_SYNTAX_ERRORS)) {
      this.error('CONFIG_SYNTAX', pos[0], explain(code, message))
    }
    const second = others.find((document) => document.contents !== null && !isNothing(document.contents))
    if (second !== undefined) {
      const message = 'a second YAML document begins here; a configuration is one: remove the "---", or use two files'
      this.error('CONFIG_DOCUMENTS', second.contents?.range[0] ?? 0, message)
    }
    return first.contents === null ? this.empty(0) : this.#node(first.contents, 0)
  }

  error(code: ConfigCode, offset: number, message: string): void {
    this.errors.push({ code, place: this.#place(offset), message })
  }

  empty(offset: number): Tree {
    return { kind: 'scalar', place: this.#place(offset), value: null }
  }

  #place(offset: number): Place {
    return this.#at ?? { source: this.#source, offset: this.#from + offset }
  }

  #node(node: ParsedNode, depth: number): Tree {
    const offset = node.range[0]
    if (this.#full) return this.empty(offset)
    if (++this.#nodes > MAX_NODES || depth > MAX_DEPTH) {
      this.#full = true
      const limit = depth > MAX_DEPTH ? `${MAX_DEPTH} levels` : `${MAX_NODES} values with every alias written out`
      this.error('CONFIG_TOO_LARGE', offset, `more than ${limit}; no configuration needs that`)
      return this.empty(offset)
    }
    if (isAlias(node)) return this.#alias(node.source, offset)
    const anchor = node.anchor
    if (anchor === undefined) return this.#content(node, depth)
    this.#anchors.set(anchor, 'open')
    const before = this.#nodes
    const tree = this.#content(node, depth)
    this.#anchors.set(anchor, { tree, size: this.#nodes - before + 1 })
    return tree
  }

  // The tree is shared, but whoever walks it later meets it once per alias: that is what is counted.
  #alias(name: string, offset: number): Tree {
    const anchored = this.#anchors.get(name)
    if (anchored === undefined || anchored === 'open') {
      const why = anchored === 'open' ? 'stands inside the value it stands for' : 'has no anchor above it'
      this.error('CONFIG_SYNTAX', offset, `the alias *${name} ${why}`)
      return this.empty(offset)
    }
    this.#nodes += anchored.size
    return anchored.tree
  }

  #content(node: Exclude<ParsedNode, Alias.Parsed>, depth: number): Tree {
    const place = this.#place(node.range[0])
    if (isMap<ParsedNode, ParsedNode | null>(node)) return this.#map(node, node.range?.[0] ?? 0, place, depth)
    if (isSeq(node)) {
      const items = node.items.map((item) => this.#node(item as ParsedNode, depth + 1))
      return { kind: 'list', place, items }
    }
    const text = textOf(node)
    const tag = node.tag
    if (tag === undefined) {
      const value = node.type === 'PLAIN' ? resolvePlain(text) : text
      return { kind: 'scalar', place, value, ...(typeof value !== 'string' && { raw: text }) }
    }
    const value = tag === '!' || tag.endsWith(':str') ? text : resolvePlain(text)
    if (!/^!$|^tag:yaml\.org,2002:(str|int|float|bool|null)$/.test(tag)) {
      const name = tag.replace('tag:yaml.org,2002:', '!!')
      this.error('CONFIG_SYNTAX', node.range[0], `the tag ${name} has no meaning in a configuration`)
    }
    return { kind: 'scalar', place, value }
  }

  #map(node: YAMLMap<ParsedNode, ParsedNode | null>, start: number, place: Place, depth: number): Tree {
    const entries = new Map<string, Entry>()
    const merged: Tree[] = []
    for (const pair of node.items) {
      const { key, offset } = this.#key(pair, start)
      const value = pair.value ? this.#node(pair.value, depth + 1) : this.empty(offset)
      if (key === '<<' && isScalar(pair.key) && pair.key.type === 'PLAIN') {
        merged.push(...(value.kind === 'list' ? value.items : [value]))
        continue
      }
      if (key === undefined) {
        this.error('CONFIG_SYNTAX', offset, 'a key must be a plain text, not a list or a mapping')
        continue
      }
      const before = entries.get(key)
      if (before === undefined) {
        entries.set(key, { key: this.#place(offset), value })
        continue
      }
      const { line } = before.key.source.position(before.key.offset)
      const message = `the key "${key}" stands twice in this mapping, first in line ${line}; remove one or join them`
      this.error('CONFIG_DUPLICATE_KEY', offset, message)
    }
    // Keys of the mapping itself win over merged ones, and earlier merged mappings over later ones.
    for (const tree of merged) {
      if (tree.kind !== 'map') {
        this.errors.push({
          code: 'CONFIG_SYNTAX',
          place: tree.place,
          message: 'a merge key (<<) takes a mapping or a list of mappings',
        })
        continue
      }
      for (const [key, entry] of tree.entries) if (!entries.has(key)) entries.set(key, entry)
    }
    return { kind: 'map', place, entries }
  }

  #key(pair: Pair<ParsedNode, ParsedNode | null>, map: number): { key: string | undefined; offset: number } {
    const node = pair.key as ParsedNode | null
    if (node === null) return { key: '', offset: map }
    const offset = node.range[0]
    if (isScalar(node)) return { key: textOf(node), offset }
    if (isAlias(node)) {
      const tree = this.#alias(node.source, offset)
      return { key: tree.kind === 'scalar' ? String(tree.value ?? '') : undefined, offset }
    }
    return { key: undefined, offset }
  }
}

/** The failsafe schema leaves every scalar its text, except an absent one, which is null. */
function textOf(node: Scalar): string {
  return typeof node.value === 'string' ? node.value : ''
}

function isNothing(node: ParsedNode): boolean {
  return isScalar(node) && node.type === 'PLAIN' && textOf(node) === ''
}

/** The parser's own words, where they are not enough for somebody who does not know YAML's grammar by heart. */
function explain(code: string, message: string): string {
  if (code === 'TAB_AS_INDENT') return 'a tab cannot indent in YAML; use spaces'
  const closing = /must end with a ([\]}])|indented and end with a ([\]}])/.exec(message)
  if (closing) return `a "${closing[1] ?? closing[2]}" is missing`
  if (code === 'BAD_INDENT') return `the indentation does not fit the lines above (${lowerFirst(message)})`
  return lowerFirst(message)
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
