import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import type { Signal } from '../../../src/otlp/batch.ts'
import type {
  Attributes,
  ChildList,
  DataPointCursor,
  LogCursor,
  MetricCursor,
  ResourceCursor,
  ScopeCursor,
  SpanCursor,
} from '../../../src/otlp/cursors.ts'
import { encodeValue } from '../../../src/otlp/encode.ts'
import { Key } from '../../../src/otlp/key.ts'
import type { PlainField, PlainObject } from '../../../src/otlp/plain-object.ts'
import { KEYS } from './arbitraries.ts'
import type { Random } from './random.ts'

/** What the fast editors and the plain one have in common; those of other signals' records may be missing. */
export interface AnyEditor {
  readonly resource: ResourceCursor
  readonly scope: ScopeCursor
  readonly metric?: MetricCursor
  readonly span?: SpanCursor
  readonly log?: LogCursor
  readonly point?: DataPointCursor
  readonly dropped: number
  open(chunk: Uint8Array): void
  nextResource(): boolean
  nextScope(): boolean
  nextMetric?(): boolean
  nextRecord(): boolean
  finish(): { readonly chunk: Uint8Array | undefined; readonly unchanged: boolean; readonly dropped: number }
}

export interface Edited {
  readonly chunk: Uint8Array | undefined
  readonly unchanged: boolean
  /** The request as it should be now: the same edits on the object. */
  readonly expected: PlainObject
}

/**
 * Walks `editor` over `bytes` and does to `object`, which is what they mean, whatever it does to them, at random; on the way it compares what the
 * cursors read. `rate` is how likely each level is touched.
 */
export function editBoth(
  signal: Exclude<Signal, 'profiles'>,
  editor: AnyEditor,
  bytes: Uint8Array,
  object: PlainObject,
  random: Random,
  rate = 0.4,
): Edited {
  const both = new Both(editor, random, rate)
  return both.run(signal, bytes, structuredClone(object))
}

const LISTS = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
} as const
const METRIC_KINDS = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const

const VALUES: readonly (readonly [Uint8Array, PlainObject])[] = [
  [encodeValue('redacted'), { stringValue: 'redacted' }],
  [encodeValue('y'.repeat(200)), { stringValue: 'y'.repeat(200) }],
  [encodeValue(-3n), { intValue: -3n }],
  [encodeValue(false), { boolValue: false }],
  [encodeValue(0.25), { doubleValue: 0.25 }],
  [encodeValue(['a', 1n]), { arrayValue: { values: [{ stringValue: 'a' }, { intValue: 1n }] } }],
  [encodeValue(undefined), {}],
]
const TEXTS = ['', 'n', 'renamed', 'z'.repeat(150)]
/** One that no request has besides. */
const EDIT_KEYS = [...KEYS, 'added']

const utf8 = new TextEncoder()

class Both {
  readonly #editor: AnyEditor
  readonly #random: Random
  readonly #rate: number
  #dropped = 0

  constructor(editor: AnyEditor, random: Random, rate: number) {
    this.#editor = editor
    this.#random = random
    this.#rate = rate
  }

  run(signal: Exclude<Signal, 'profiles'>, bytes: Uint8Array, object: PlainObject): Edited {
    const editor = this.#editor
    const [resources, scopes, records] = LISTS[signal]
    editor.open(bytes)
    this.#each(object, resources, {
      next: () => editor.nextResource(),
      drop: () => editor.resource.drop(),
      visit: (resource) => {
        this.#same(editor.resource.schemaUrl(), resource.schemaUrl ?? '')
        this.#attributes(editor.resource.attributes, inside(resource, 'resource'), 'attributes')
      },
      into: (resource) =>
        this.#each(resource, scopes, {
          next: () => editor.nextScope(),
          drop: () => editor.scope.drop(),
          visit: (scope) => this.#scope(scope),
          into: (scope) => (signal === 'metrics' ? this.#metrics(scope) : this.#records(signal, scope, records)),
        }),
    })
    const { chunk, unchanged, dropped } = editor.finish()
    this.#same(dropped, this.#dropped)
    return { chunk, unchanged, expected: object }
  }

  /** One level: steps through a list of the parent's in both, and takes out of the object what was dropped or emptied. */
  #each(
    parent: PlainObject,
    name: string,
    level: {
      next(): boolean
      drop(): void
      visit(message: PlainObject): void
      into(message: PlainObject): 'emptied' | undefined
    },
  ): 'emptied' | undefined {
    const list = listOf(parent, name)
    const kept: PlainObject[] = []
    for (const message of list) {
      this.#same(level.next(), true)
      // Dropped before, between or after what lies in it was looked at.
      const drop = this.#random.chance(this.#rate / 5) ? this.#random.below(3) : -1
      if (drop === 0) level.drop()
      else {
        level.visit(message)
        if (drop === 1) level.drop()
        else if (this.#random.chance(0.9) && level.into(message) === 'emptied' && drop < 0) continue
      }
      if (drop === 2) level.drop()
      if (drop < 0) kept.push(message)
      else this.#dropped += itemsOf(name, message)
      this.#same(this.#editor.dropped, this.#dropped)
    }
    if (this.#random.chance(0.9)) this.#same(level.next(), false)
    if (kept.length > 0 || list.length === 0) {
      if (list.length > 0) parent[name] = kept
      return undefined
    }
    delete parent[name]
    return 'emptied'
  }

  #metrics(scope: PlainObject): 'emptied' | undefined {
    const editor = this.#editor
    return this.#each(scope, 'metrics', {
      next: () => editor.nextMetric!(),
      drop: () => editor.metric!.drop(),
      visit: (metric) => {
        const cursor = editor.metric!
        this.#same(cursor.kind, METRIC_KINDS.find((kind) => metric[kind] !== undefined) ?? 'none')
        this.#same(cursor.nameText(), metric.name ?? '')
        if (this.#touches()) this.#setText(metric, 'name', (text) => cursor.setName(text))
        if (this.#touches()) this.#setText(metric, 'description', (text) => cursor.setDescription(text))
        if (this.#touches()) this.#setText(metric, 'unit', (text) => cursor.setUnit(text))
      },
      into: (metric) => {
        const kind = METRIC_KINDS.find((name) => metric[name] !== undefined)
        return this.#records('metrics', kind ? (metric[kind] as PlainObject) : {}, 'dataPoints')
      },
    })
  }

  #records(signal: Exclude<Signal, 'profiles'>, holder: PlainObject, name: string): 'emptied' | undefined {
    const editor = this.#editor
    const cursor = { traces: editor.span, logs: editor.log, metrics: editor.point }[signal]!
    return this.#each(holder, name, {
      next: () => editor.nextRecord(),
      drop: () => cursor.drop(),
      visit: (record) => {
        this.#attributes(cursor.attributes, itself(record), 'attributes')
        if (signal === 'traces') this.#span(editor.span!, record)
        else if (signal === 'logs') this.#log(editor.log!, record)
        else this.#children(editor.point!.exemplars, record, 'exemplars', 'filteredAttributes')
      },
      into: () => undefined,
    })
  }

  #scope(scope: PlainObject): void {
    const cursor = this.#editor.scope
    const inner = (scope.scope ?? {}) as PlainObject
    this.#same(cursor.nameText(), inner.name ?? '')
    this.#same(cursor.versionText(), inner.version ?? '')
    this.#attributes(cursor.attributes, inside(scope, 'scope'), 'attributes')
    if (this.#touches()) this.#setText(child(scope, 'scope'), 'name', (text) => cursor.setName(text))
    if (this.#touches()) this.#setText(child(scope, 'scope'), 'version', (text) => cursor.setVersion(text))
  }

  #span(cursor: SpanCursor, span: PlainObject): void {
    this.#same(cursor.nameText(), span.name ?? '')
    this.#same(cursor.kind, span.kind ?? 0)
    if (this.#touches()) this.#setText(span, 'name', (text) => cursor.setName(text))
    if (this.#touches()) this.#setText(span, 'traceState', (text) => cursor.setTraceState(text))
    if (this.#touches()) {
      const code = this.#random.below(3)
      const message = this.#random.pick(TEXTS)
      cursor.setStatus(code, utf8.encode(message))
      span.status = { message, code }
      this.#same(cursor.statusCode, code)
    }
    this.#children(cursor.events, span, 'events', 'attributes')
    this.#children(cursor.links, span, 'links', 'attributes')
  }

  #log(cursor: LogCursor, log: PlainObject): void {
    this.#same(cursor.severityNumber, log.severityNumber ?? 0)
    if (this.#touches()) {
      const severity = this.#random.below(25)
      this.#setText(log, 'severityText', (text) => cursor.setSeverity(severity, text))
      log.severityNumber = severity
      this.#same(cursor.severityNumber, severity)
    }
    if (this.#touches()) {
      const [encoded, value] = this.#random.pick(VALUES)
      cursor.setBody(encoded)
      log.body = structuredClone(value)
    }
    this.#same(cursor.body.kind, kindOf(log.body))
  }

  #children(
    cursor: ChildList<{ readonly attributes: Attributes }>,
    owner: PlainObject,
    name: string,
    attributes: string,
  ): void {
    const list = listOf(owner, name)
    this.#same(cursor.size, list.length)
    if (!this.#touches()) return
    const kept: PlainObject[] = []
    cursor.rewind()
    for (const message of list) {
      this.#same(cursor.next(), true)
      this.#attributes(cursor.current.attributes, itself(message), attributes)
      if (this.#random.chance(0.3)) cursor.deleteCurrent()
      else kept.push(message)
    }
    this.#same(cursor.next(), false)
    this.#same(cursor.size, kept.length)
    if (kept.length > 0) owner[name] = kept
    else delete owner[name]
  }

  #attributes(cursor: Attributes, owner: Owner, name: string): void {
    if (!this.#touches()) return
    for (let n = 1 + this.#random.below(4); n > 0; n--) this.#attributeEdit(cursor, owner, name)
  }

  #attributeEdit(cursor: Attributes, owner: Owner, name: string): void {
    const text = this.#random.pick(EDIT_KEYS)
    const key = Key.of(text)
    const [encoded, value] = this.#random.pick(VALUES)
    const list = (): PlainObject[] => listOf(owner.peek() ?? {}, name)
    const keep = (attributes: PlainObject[]): void => {
      if (attributes.length > 0) owner.make()[name] = attributes
      else delete owner.peek()?.[name]
    }
    const is = (wanted: string) => (attribute: PlainObject) => (attribute.key ?? '') === wanted
    const index = list().findIndex(is(text))
    const replace = (): void => {
      list()[index]!.value = structuredClone(value)
      keep(list().filter((attribute, i) => i <= index || !is(text)(attribute)))
    }
    const add = (): void => keep([...list(), { key: text, value: structuredClone(value) }])
    switch (this.#random.below(7)) {
      case 0:
        cursor.set(key, encoded)
        if (index < 0) add()
        else replace()
        break
      case 1:
        this.#same(cursor.insert(key, encoded), index < 0)
        if (index < 0) add()
        break
      case 2:
        this.#same(cursor.update(key, encoded), index >= 0)
        if (index >= 0) replace()
        break
      case 3:
        this.#same(cursor.delete(key), index >= 0)
        if (index >= 0) keep(list().filter((attribute) => !is(text)(attribute)))
        break
      case 4: {
        const to = this.#random.pick(EDIT_KEYS)
        this.#same(cursor.rename(key, Key.of(to)), index >= 0)
        if (index < 0) break
        const renamed = list()[index]!
        keep(list().filter((attribute) => attribute === renamed || !(is(text)(attribute) || is(to)(attribute))))
        renamed.key = to
        break
      }
      case 5:
        this.#walk(cursor, list(), keep)
        break
      default:
        this.#same(cursor.has(key), index >= 0)
        this.#same(cursor.get(key)?.kind, index < 0 ? undefined : kindOf(list()[index]!.value))
    }
    this.#same(cursor.size, list().length)
  }

  #walk(cursor: Attributes, list: readonly PlainObject[], keep: (attributes: PlainObject[]) => void): void {
    const kept: PlainObject[] = []
    cursor.rewind()
    for (const attribute of list) {
      this.#same(cursor.next(), true)
      this.#same(cursor.keyText(), attribute.key ?? '')
      this.#same(cursor.value.kind, kindOf(attribute.value))
      const action = this.#random.below(4)
      if (action === 0) {
        cursor.deleteCurrent()
        continue
      }
      if (action === 1) {
        const [encoded, value] = this.#random.pick(VALUES)
        cursor.setCurrent(encoded)
        attribute.value = structuredClone(value)
      }
      kept.push(attribute)
    }
    this.#same(cursor.next(), false)
    if (list.length > 0) keep(kept)
  }

  #setText(owner: PlainObject, name: string, set: (text: Uint8Array) => void): void {
    const text = this.#random.pick(TEXTS)
    set(utf8.encode(text))
    owner[name] = text
  }

  #touches(): boolean {
    return this.#random.chance(this.#rate)
  }

  #same(actual: unknown, expected: unknown): void {
    if (!isDeepStrictEqual(actual, expected)) expect(actual).toStrictEqual(expected)
  }
}

/** Where attributes are. Looking makes nothing: a resource that is absent stays so until something is added. */
interface Owner {
  peek(): PlainObject | undefined
  make(): PlainObject
}

function itself(message: PlainObject): Owner {
  return { peek: () => message, make: () => message }
}

function inside(parent: PlainObject, name: string): Owner {
  return { peek: () => parent[name] as PlainObject | undefined, make: () => child(parent, name) }
}

/** Items in an element of the list `name`. */
function itemsOf(name: string, message: PlainObject): number {
  if (/^(spans|logRecords|dataPoints)$/.test(name)) return 1
  let items = 0
  for (const [field, value] of Object.entries(message)) {
    if (Array.isArray(value)) {
      if (/^(scope\w+|spans|logRecords|metrics|dataPoints)$/.test(field)) {
        for (const element of value) items += itemsOf(field, element as PlainObject)
      }
    } else if ((METRIC_KINDS as readonly string[]).includes(field)) items += itemsOf(field, value as PlainObject)
  }
  return items
}

function listOf(owner: PlainObject, name: string): PlainObject[] {
  return (owner[name] ?? []) as PlainObject[]
}

function child(owner: PlainObject, name: string): PlainObject {
  owner[name] ??= {}
  return owner[name] as PlainObject
}

function kindOf(value: PlainField | undefined): string {
  const member = Object.keys((value ?? {}) as PlainObject)[0]
  return member === undefined ? 'empty' : member.replace(/Value$/, '')
}
