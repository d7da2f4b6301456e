import type { Attributes, EncodedValue } from '../../src/otlp/cursors.ts'
import type { AnyEditor } from '../../src/otlp/editors.ts'
import { encodeValue } from '../../src/otlp/encode.ts'
import { Key } from '../../src/otlp/key.ts'
import type { PlainObject } from '../../src/otlp/plain-object.ts'
import { KEYS } from './support/arbitraries.ts'
import type { Random } from './support/random.ts'

/*
 * A random sequence of edits that two editors, or an editor and a model, play with the same outcome: every choice comes from the
 * generator and none from what was read. What the calls returned is noted, so that reads after edits are compared as well.
 */

export type AttributeEdit =
  | 'set'
  | 'insert'
  | 'update'
  | 'delete'
  | 'rename'
  | 'delete while walking'
  | 'set while walking'

const EDITS: readonly AttributeEdit[] = [
  'set',
  'set',
  'insert',
  'insert',
  'update',
  'delete',
  'delete',
  'rename',
  'delete while walking',
  'set while walking',
]

export interface NewValue {
  readonly encoded: EncodedValue
  readonly object: PlainObject
}

const VALUES: readonly NewValue[] = [
  { encoded: encodeValue('new'), object: { stringValue: 'new' } },
  { encoded: encodeValue(''), object: { stringValue: '' } },
  { encoded: encodeValue('long '.repeat(60)), object: { stringValue: 'long '.repeat(60) } },
  { encoded: encodeValue(-7n), object: { intValue: -7n } },
  { encoded: encodeValue(true), object: { boolValue: true } },
  { encoded: encodeValue(0.25), object: { doubleValue: 0.25 } },
  {
    encoded: encodeValue(['x', 1n]),
    object: { arrayValue: { values: [{ stringValue: 'x' }, { intValue: 1n }] } },
  },
  { encoded: new Uint8Array(0), object: {} },
]

const NEW_KEYS = [...KEYS, 'new.key', 'another.new.key']

export interface AttributeStep {
  readonly edit: AttributeEdit
  readonly key: string
  readonly to: string
  readonly value: NewValue
  /** Which attribute a walk stops at. */
  readonly at: number
}

export function attributeSteps(random: Random): AttributeStep[] {
  return Array.from({ length: random.chance(0.4) ? 0 : random.below(5) }, () => ({
    edit: random.pick(EDITS),
    key: random.pick(NEW_KEYS),
    to: random.pick(NEW_KEYS),
    value: random.pick(VALUES),
    at: random.below(4),
  }))
}

export function anyValue(random: Random): NewValue {
  return random.pick(VALUES)
}

export function anyText(random: Random): string {
  return random.pick(['', 'renamed', 'a longer name than there was before'.repeat(4)])
}

/** What to do to one node: probabilities are small enough that unchanged neighbours lie between changed ones. */
export const DROP = 0.12
export const RENAME = 0.2
export const EDIT_CHILDREN = 0.3
/** That a record's hook edits what the record lies in. */
export const EDIT_PARENT = 0.05

const utf8 = new TextEncoder()

/** Notes of what reads gave. */
export type Notes = unknown[]

function playAttributes(attributes: Attributes, random: Random, notes: Notes): void {
  for (const { edit, key: keyText, to, value, at } of attributeSteps(random)) {
    const key = Key.of(keyText)
    switch (edit) {
      case 'set':
        attributes.set(key, value.encoded)
        break
      case 'insert':
        notes.push(attributes.insert(key, value.encoded))
        break
      case 'update':
        notes.push(attributes.update(key, value.encoded))
        break
      case 'delete':
        notes.push(attributes.delete(key))
        break
      case 'rename':
        notes.push(attributes.rename(key, Key.of(to)))
        break
      default: {
        let index = 0
        for (attributes.rewind(); attributes.next(); index++) {
          notes.push(attributes.keyText(), attributes.value.plain())
          if (index !== at) continue
          if (edit === 'set while walking') attributes.setCurrent(value.encoded)
          else attributes.deleteCurrent()
        }
      }
    }
    notes.push(attributes.size, attributes.has(key), attributes.get(key)?.plain())
  }
}

/** Plays the script on an editor that has been opened; gives what reads gave on the way. */
export function play(editor: AnyEditor, random: Random): Notes {
  const notes: Notes = []
  while (editor.nextResource()) {
    playAttributes(editor.resource.attributes, random, notes)
    if (random.chance(DROP)) {
      editor.resource.drop()
      notes.push(editor.dropped)
      continue
    }
    while (editor.nextScope()) {
      const { scope } = editor
      playAttributes(scope.attributes, random, notes)
      if (random.chance(RENAME)) scope.setName(utf8.encode(anyText(random)))
      if (random.chance(RENAME)) scope.setVersion(utf8.encode(anyText(random)))
      notes.push(scope.nameText(), scope.versionText())
      if (random.chance(DROP)) {
        scope.drop()
        notes.push(editor.dropped)
        continue
      }
      if (editor.signal !== 'metrics') playRecords(editor, random, notes)
      else {
        while (editor.nextMetric()) {
          const { metric } = editor
          if (random.chance(RENAME)) metric.setName(utf8.encode(anyText(random)))
          if (random.chance(RENAME)) metric.setDescription(utf8.encode(anyText(random)))
          if (random.chance(RENAME)) metric.setUnit(utf8.encode(anyText(random)))
          notes.push(metric.nameText(), metric.kind, metric.temporality, metric.monotonic)
          if (random.chance(DROP)) {
            metric.drop()
            notes.push(editor.dropped)
          } else playRecords(editor, random, notes)
        }
      }
    }
  }
  return notes
}

function playRecords(editor: AnyEditor, random: Random, notes: Notes): void {
  while (editor.nextRecord()) {
    const { attributes, scope, resource } =
      editor.signal === 'traces' ? editor.span : editor.signal === 'logs' ? editor.log : editor.point
    playAttributes(attributes, random, notes)
    if (random.chance(EDIT_PARENT)) playAttributes(resource.attributes, random, notes)
    if (random.chance(EDIT_PARENT)) playAttributes(scope.attributes, random, notes)
    if (editor.signal === 'traces') {
      const { span } = editor
      if (random.chance(RENAME)) span.setName(utf8.encode(anyText(random)))
      if (random.chance(RENAME)) span.setTraceState(utf8.encode(anyText(random)))
      if (random.chance(RENAME)) span.setStatus(random.below(3), utf8.encode(anyText(random)))
      if (random.chance(RENAME)) span.setStatus(random.below(3), utf8.encode(anyText(random)))
      notes.push(span.nameText(), span.statusCode, span.statusMessage.end - span.statusMessage.start)
      for (const list of [span.events, span.links]) {
        if (!random.chance(EDIT_CHILDREN)) continue
        for (list.rewind(); list.next(); ) {
          playAttributes(list.current.attributes, random, notes)
          if (random.chance(DROP)) list.deleteCurrent()
        }
        notes.push(list.size)
      }
      if (random.chance(DROP)) span.drop()
    } else if (editor.signal === 'logs') {
      const { log } = editor
      if (random.chance(RENAME)) log.setSeverity(random.below(25), utf8.encode(anyText(random)))
      if (random.chance(RENAME)) log.setBody(anyValue(random).encoded)
      notes.push(log.severityNumber, log.body.plain())
      if (random.chance(DROP)) log.drop()
    } else {
      const { point } = editor
      if (random.chance(EDIT_CHILDREN)) {
        const { exemplars } = point
        for (exemplars.rewind(); exemplars.next(); ) {
          playAttributes(exemplars.current.attributes, random, notes)
          if (random.chance(DROP)) exemplars.deleteCurrent()
        }
        notes.push(exemplars.size)
      }
      if (random.chance(DROP)) point.drop()
    }
    notes.push(editor.recordDropped, editor.dropped)
  }
}
