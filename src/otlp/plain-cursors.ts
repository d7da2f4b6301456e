import type {
  Attributes,
  ByteRange,
  ChildList,
  EncodedValue,
  EventCursor,
  ExemplarCursor,
  Fixed64,
  LinkCursor,
  LogCursor,
  ResourceCursor,
  ScopeCursor,
  SpanCursor,
  ValueCursor,
} from './cursors.ts'
import type { PlainMessage } from './plain.ts'
import { PlainAttributes, readAnyValue, TreeValue } from './plain-attributes.ts'
import {
  bytesOf,
  childOf,
  childrenOf,
  ensureChild,
  fixed64Of,
  numberOf,
  rangeOf,
  removeChild,
  scalarOf,
  setBytes,
  setChild,
  setEnum,
} from './plain-fields.ts'
import { textOf } from './plain-scalar.ts'

/** What the cursors need of the walk they belong to. */
export interface Walk {
  /** Called at every change. */
  touch(): void
  /** Leaves out what the cursor of that level stands on. */
  drop(level: 'resource' | 'scope' | 'metric' | 'record'): void
}

/** A cursor that is moved from message to message by setting `node`. */
export abstract class NodeCursor {
  node!: PlainMessage
  readonly attributes: Attributes
  protected readonly walk: Walk

  constructor(walk: Walk, attributesName = 'attributes') {
    this.walk = walk
    this.attributes = new PlainAttributes(
      () => this.node,
      () => this.node,
      () => walk.touch(),
      attributesName,
    )
  }

  protected text(name: string): string {
    return textOf(bytesOf(this.node, name))
  }

  protected set(name: string, bytes: Uint8Array): void {
    setBytes(this.node, name, bytes)
    this.walk.touch()
  }
}

/** Stands on a `Resource…` message; the attributes are of the resource in it. */
export class PlainResource implements ResourceCursor {
  node!: PlainMessage
  readonly attributes: Attributes
  readonly #walk: Walk

  constructor(walk: Walk) {
    this.#walk = walk
    this.attributes = new PlainAttributes(
      () => childOf(this.node, 'resource'),
      () => ensureChild(this.node, 'resource'),
      () => walk.touch(),
    )
  }

  schemaUrl(): string {
    return textOf(bytesOf(this.node, 'schemaUrl'))
  }

  drop(): void {
    this.#walk.drop('resource')
  }
}

/** Stands on a `Scope…` message; the attributes are of the instrumentation scope in it. */
export class PlainScope implements ScopeCursor {
  node!: PlainMessage
  readonly resource: ResourceCursor
  readonly attributes: Attributes
  readonly #walk: Walk

  constructor(walk: Walk, resource: ResourceCursor) {
    this.#walk = walk
    this.resource = resource
    this.attributes = new PlainAttributes(
      () => childOf(this.node, 'scope'),
      () => ensureChild(this.node, 'scope'),
      () => walk.touch(),
    )
  }

  get name(): ByteRange {
    return rangeOf(childOf(this.node, 'scope'), 'name')
  }

  nameText(): string {
    return textOf(bytesOf(childOf(this.node, 'scope'), 'name'))
  }

  versionText(): string {
    return textOf(bytesOf(childOf(this.node, 'scope'), 'version'))
  }

  setName(name: Uint8Array): void {
    setBytes(ensureChild(this.node, 'scope'), 'name', name)
    this.#walk.touch()
  }

  setVersion(version: Uint8Array): void {
    setBytes(ensureChild(this.node, 'scope'), 'version', version)
    this.#walk.touch()
  }

  drop(): void {
    this.#walk.drop('scope')
  }
}

/** The messages in a list of the owner's. */
export class PlainChildren<T extends NodeCursor> implements ChildList<T> {
  readonly current: T
  readonly #owner: NodeCursor
  readonly #name: string
  readonly #walk: Walk
  #left: PlainMessage[] = []

  constructor(owner: NodeCursor, name: string, walk: Walk, cursor: T) {
    this.#owner = owner
    this.#name = name
    this.#walk = walk
    this.current = cursor
  }

  get size(): number {
    return childrenOf(this.#owner.node, this.#name).length
  }

  rewind(): void {
    this.#left = childrenOf(this.#owner.node, this.#name)
  }

  next(): boolean {
    const next = this.#left.shift()
    if (next === undefined) return false
    this.current.node = next
    return true
  }

  deleteCurrent(): void {
    if (removeChild(this.#owner.node, this.current.node)) this.#walk.touch()
  }
}

class PlainEvent extends NodeCursor implements EventCursor {
  get name(): ByteRange {
    return rangeOf(this.node, 'name')
  }

  nameText(): string {
    return this.text('name')
  }

  get time(): Fixed64 {
    return fixed64Of(this.node, 'timeUnixNano')
  }
}

class PlainLink extends NodeCursor implements LinkCursor {
  get traceId(): ByteRange {
    return rangeOf(this.node, 'traceId')
  }

  get spanId(): ByteRange {
    return rangeOf(this.node, 'spanId')
  }

  get traceState(): ByteRange {
    return rangeOf(this.node, 'traceState')
  }

  get flags(): number {
    return numberOf(this.node, 'flags')
  }
}

export class PlainExemplar extends NodeCursor implements ExemplarCursor {
  constructor(walk: Walk) {
    super(walk, 'filteredAttributes')
  }

  get time(): Fixed64 {
    return fixed64Of(this.node, 'timeUnixNano')
  }

  value(): number {
    return Number(scalarOf(this.node, 'asInt') ?? scalarOf(this.node, 'asDouble') ?? 0)
  }

  get traceId(): ByteRange {
    return rangeOf(this.node, 'traceId')
  }

  get spanId(): ByteRange {
    return rangeOf(this.node, 'spanId')
  }
}

/** What cursors over records share. */
export abstract class PlainRecord extends NodeCursor {
  readonly resource: ResourceCursor
  readonly scope: ScopeCursor

  constructor(walk: Walk, scope: ScopeCursor) {
    super(walk)
    this.scope = scope
    this.resource = scope.resource
  }

  drop(): void {
    this.walk.drop('record')
  }
}

export class PlainSpan extends PlainRecord implements SpanCursor {
  readonly events: ChildList<EventCursor>
  readonly links: ChildList<LinkCursor>

  constructor(walk: Walk, scope: ScopeCursor) {
    super(walk, scope)
    this.events = new PlainChildren(this, 'events', walk, new PlainEvent(walk))
    this.links = new PlainChildren(this, 'links', walk, new PlainLink(walk))
  }

  get traceId(): ByteRange {
    return rangeOf(this.node, 'traceId')
  }

  get spanId(): ByteRange {
    return rangeOf(this.node, 'spanId')
  }

  get parentSpanId(): ByteRange {
    return rangeOf(this.node, 'parentSpanId')
  }

  get traceState(): ByteRange {
    return rangeOf(this.node, 'traceState')
  }

  get name(): ByteRange {
    return rangeOf(this.node, 'name')
  }

  nameText(): string {
    return this.text('name')
  }

  get kind(): number {
    return numberOf(this.node, 'kind')
  }

  get flags(): number {
    return numberOf(this.node, 'flags')
  }

  get startTime(): Fixed64 {
    return fixed64Of(this.node, 'startTimeUnixNano')
  }

  get endTime(): Fixed64 {
    return fixed64Of(this.node, 'endTimeUnixNano')
  }

  get statusCode(): number {
    return numberOf(childOf(this.node, 'status'), 'code')
  }

  get statusMessage(): ByteRange {
    return rangeOf(childOf(this.node, 'status'), 'message')
  }

  setName(name: Uint8Array): void {
    this.set('name', name)
  }

  setTraceState(value: Uint8Array): void {
    this.set('traceState', value)
  }

  setStatus(code: number, message: Uint8Array): void {
    const status = ensureChild(this.node, 'status')
    setBytes(status, 'message', message)
    setEnum(status, 'code', code)
    this.walk.touch()
  }
}

export class PlainLog extends PlainRecord implements LogCursor {
  get time(): Fixed64 {
    return fixed64Of(this.node, 'timeUnixNano')
  }

  get observedTime(): Fixed64 {
    return fixed64Of(this.node, 'observedTimeUnixNano')
  }

  get severityNumber(): number {
    return numberOf(this.node, 'severityNumber')
  }

  get severityText(): ByteRange {
    return rangeOf(this.node, 'severityText')
  }

  get body(): ValueCursor {
    return new TreeValue(childOf(this.node, 'body'))
  }

  get flags(): number {
    return numberOf(this.node, 'flags')
  }

  get traceId(): ByteRange {
    return rangeOf(this.node, 'traceId')
  }

  get spanId(): ByteRange {
    return rangeOf(this.node, 'spanId')
  }

  get eventName(): ByteRange {
    return rangeOf(this.node, 'eventName')
  }

  setSeverity(severityNumber: number, text: Uint8Array): void {
    setEnum(this.node, 'severityNumber', severityNumber)
    this.set('severityText', text)
  }

  setBody(value: EncodedValue): void {
    setChild(this.node, 'body', readAnyValue(value))
    this.walk.touch()
  }
}
