import type { PlainObject } from '../../src/otlp/plain-object.ts'
import { anyText, anyValue, attributeSteps, DROP, EDIT_CHILDREN, EDIT_PARENT, RENAME } from './edit-script.ts'
import type { Random } from './support/random.ts'

/*
 * The script of edit-script.ts played on the object tree that protobufjs reads: a second opinion that shares nothing with
 * the editors but the generator of choices.
 */

type Attribute = PlainObject & { readonly key?: string }

function attributesOf(owner: PlainObject, name: string): Attribute[] {
  return (owner[name] as Attribute[] | undefined) ?? []
}

function playAttributes(owner: PlainObject, random: Random, name = 'attributes'): void {
  for (const { edit, key, to, value, at } of attributeSteps(random)) {
    let list = attributesOf(owner, name)
    const first = list.find((attribute) => (attribute.key ?? '') === key)
    const others = (text: string) => list.filter((attribute) => attribute === first || (attribute.key ?? '') !== text)
    switch (edit) {
      case 'set':
      case 'update':
        if (first) {
          list = others(key)
          first['value'] = value.object
        } else if (edit === 'set') list = [...list, { key, value: value.object }]
        break
      case 'insert':
        if (!first) list = [...list, { key, value: value.object }]
        break
      case 'delete':
        list = list.filter((attribute) => (attribute.key ?? '') !== key)
        break
      case 'rename':
        if (first) {
          list = others(key)
          list = others(to)
          Object.assign(first, { key: to })
        }
        break
      case 'delete while walking':
        list = list.filter((_, index) => index !== at)
        break
      case 'set while walking':
        if (list[at]) list[at]!['value'] = value.object
        break
    }
    if (list.length > 0 || name in owner) owner[name] = list
  }
}

/** A child that is made when something is written into it. */
function playOwner(parent: PlainObject, name: string, random: Random, more?: (owner: PlainObject) => void): void {
  const owner = (parent[name] ?? {}) as PlainObject
  playAttributes(owner, random)
  more?.(owner)
  if (Object.keys(owner).length > 0) parent[name] = owner
}

function setText(owner: PlainObject, name: string, random: Random): void {
  if (random.chance(RENAME)) owner[name] = anyText(random)
}

/** Walks a list; `visit` says whether the element stays. True where the list is now empty and was not before. */
function walk(parent: PlainObject, name: string, visit: (child: PlainObject) => boolean): boolean {
  const list = (parent[name] ?? []) as PlainObject[]
  const kept = list.filter(visit)
  parent[name] = kept
  return list.length > 0 && kept.length === 0
}

const LISTS = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
} as const

const DATA = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary']

/** Edits `request` in place as `play` edits bytes. */
export function playOnObject(signal: keyof typeof LISTS, request: PlainObject, random: Random): void {
  const [resources, scopes, records] = LISTS[signal]
  walk(request, resources, (resource) => {
    playOwner(resource, 'resource', random)
    if (random.chance(DROP)) return false
    const emptied = walk(resource, scopes, (scope) => {
      playOwner(scope, 'scope', random, (owner) => {
        setText(owner, 'name', random)
        setText(owner, 'version', random)
      })
      if (random.chance(DROP)) return false
      const around = { resource, scope }
      if (signal !== 'metrics') return !walk(scope, records, (record) => playRecord(signal, record, around, random))
      return !walk(scope, records, (metric) => {
        for (const name of ['name', 'description', 'unit']) setText(metric, name, random)
        if (random.chance(DROP)) return false
        const data = DATA.map((name) => metric[name] as PlainObject | undefined).find((found) => found !== undefined)
        return !data || !walk(data, 'dataPoints', (point) => playRecord(signal, point, around, random))
      })
    })
    return !emptied
  })
}

function playRecord(
  signal: keyof typeof LISTS,
  record: PlainObject,
  { resource, scope }: { readonly resource: PlainObject; readonly scope: PlainObject },
  random: Random,
): boolean {
  playAttributes(record, random)
  if (random.chance(EDIT_PARENT)) playOwner(resource, 'resource', random)
  if (random.chance(EDIT_PARENT)) playOwner(scope, 'scope', random)
  if (signal === 'traces') {
    setText(record, 'name', random)
    setText(record, 'traceState', random)
    for (let i = 0; i < 2; i++) {
      if (random.chance(RENAME)) record['status'] = { code: random.below(3), message: anyText(random) }
    }
    for (const name of ['events', 'links']) playChildren(record, name, 'attributes', random)
  } else if (signal === 'logs') {
    if (random.chance(RENAME))
      Object.assign(record, { severityNumber: random.below(25), severityText: anyText(random) })
    if (random.chance(RENAME)) record['body'] = anyValue(random).object
  } else playChildren(record, 'exemplars', 'filteredAttributes', random)
  return !random.chance(DROP)
}

function playChildren(record: PlainObject, name: string, attributes: string, random: Random): void {
  if (!random.chance(EDIT_CHILDREN)) return
  walk(record, name, (child) => {
    playAttributes(child, random, attributes)
    return !random.chance(DROP)
  })
}

/** Without empty lists, which no serialization can tell from absent ones. */
export function withoutEmptyLists(object: PlainObject): PlainObject {
  const result: PlainObject = {}
  for (const [name, field] of Object.entries(object)) {
    if (Array.isArray(field)) {
      if (field.length > 0)
        result[name] = field.map((element) => (isObject(element) ? withoutEmptyLists(element) : element))
    } else result[name] = isObject(field) ? withoutEmptyLists(field) : field
  }
  return result
}

function isObject(field: unknown): field is PlainObject {
  return typeof field === 'object' && field !== null && !Array.isArray(field) && !(field instanceof Uint8Array)
}
