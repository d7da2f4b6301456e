import type { Attributes, ByteRange, EncodedValue, PlainValue, ValueCursor, ValueKind } from './cursors.ts'
import type { Key } from './key.ts'
import { PlainMessage } from './plain.ts'
import { bytesOf, childOf, childrenOf, fieldOf, rangeOf, removeChild, setBytes, setChild } from './plain-fields.ts'
import { readScalar, textOf } from './plain-scalar.ts'
import { messageNamed } from './schema.ts'

const ANY_VALUE = messageNamed('AnyValue')
const KEY_VALUE = messageNamed('KeyValue')
const KINDS: readonly ValueKind[] = ['empty', 'string', 'bool', 'int', 'double', 'array', 'kvlist', 'bytes']

/** An encoded AnyValue as a tree, canonical. */
export function readAnyValue(value: EncodedValue): PlainMessage {
  return PlainMessage.read(ANY_VALUE, value).canonical()
}

/** An AnyValue of the tree as a cursor. */
export class TreeValue implements ValueCursor {
  readonly kind: ValueKind
  readonly buffer: Uint8Array
  readonly start = 0
  readonly end: number
  readonly #value: PlainMessage | undefined

  /** Undefined reads as the empty value. */
  constructor(value: PlainMessage | undefined) {
    this.#value = value
    const member = value?.entries.find(({ number }) => number < KINDS.length)
    this.kind = KINDS[member?.number ?? 0]!
    if (member === undefined) this.buffer = new Uint8Array(0)
    else this.buffer = 'message' in member ? member.message.write() : member.bytes
    this.end = this.buffer.length
  }

  text(): string {
    return textOf(this.buffer)
  }

  bool(): boolean {
    return this.kind === 'bool' && this.plain() === true
  }

  number(): number {
    return this.kind === 'int' || this.kind === 'double' ? Number(this.plain()) : 0
  }

  bigint(): bigint {
    if (this.kind === 'int') return this.plain() as bigint
    const number = this.number()
    return Number.isFinite(number) ? BigInt(Math.trunc(number)) : 0n
  }

  plain(): PlainValue {
    const value = this.#value
    if (value === undefined || this.kind === 'empty') return undefined
    if (this.kind === 'array') {
      return childrenOf(childOf(value, 'arrayValue'), 'values').map((element) => new TreeValue(element).plain())
    }
    if (this.kind === 'kvlist') {
      return Object.fromEntries(
        childrenOf(childOf(value, 'kvlistValue'), 'values').map((entry) => [
          textOf(bytesOf(entry, 'key')),
          new TreeValue(childOf(entry, 'value')).plain(),
        ]),
      )
    }
    return readScalar(fieldOf(value, `${this.kind}Value`)!, this.buffer)
  }

  encodedCopy(): EncodedValue {
    return this.#value?.write() ?? new Uint8Array(0)
  }
}

/** The attributes of a message of the tree. */
export class PlainAttributes implements Attributes {
  readonly #owner: () => PlainMessage | undefined
  readonly #ensure: () => PlainMessage
  readonly #name: string
  readonly #touch: () => void
  #walk: PlainMessage[] = []
  #current: PlainMessage | undefined

  /**
   * `owner` gives the message that has the list `name` now, where there is one; `ensure` makes one, for the first attribute. `touch` is called at
   * every change.
   */
  constructor(
    owner: () => PlainMessage | undefined,
    ensure: () => PlainMessage,
    touch: () => void,
    name = 'attributes',
  ) {
    this.#owner = owner
    this.#ensure = ensure
    this.#touch = touch
    this.#name = name
  }

  #all(): PlainMessage[] {
    return childrenOf(this.#owner(), this.#name)
  }

  #of(key: Key): PlainMessage[] {
    return this.#all().filter((attribute) => {
      const bytes = bytesOf(attribute, 'key')
      return key.equals(bytes, 0, bytes.length)
    })
  }

  get size(): number {
    return this.#all().length
  }

  has(key: Key): boolean {
    return this.#of(key).length > 0
  }

  get(key: Key): ValueCursor | undefined {
    const [first] = this.#of(key)
    return first && new TreeValue(childOf(first, 'value'))
  }

  set(key: Key, value: EncodedValue): void {
    if (!this.update(key, value)) this.insert(key, value)
  }

  insert(key: Key, value: EncodedValue): boolean {
    if (this.has(key)) return false
    const attribute = new PlainMessage(KEY_VALUE)
    setBytes(attribute, 'key', key.bytes)
    setChild(attribute, 'value', readAnyValue(value))
    const owner = this.#ensure()
    owner.entries.push({ number: fieldOf(owner, this.#name)!.number, message: attribute })
    this.#touch()
    return true
  }

  update(key: Key, value: EncodedValue): boolean {
    const [first, ...later] = this.#of(key)
    if (first === undefined) return false
    this.#setValue(first, value)
    this.#remove(later)
    return true
  }

  delete(key: Key): boolean {
    const found = this.#of(key)
    this.#remove(found)
    return found.length > 0
  }

  rename(from: Key, to: Key): boolean {
    const [first, ...later] = this.#of(from)
    if (first === undefined) return false
    this.#remove(later)
    if (from === to) return true
    this.#remove(this.#of(to))
    setBytes(first, 'key', to.bytes)
    this.#touch()
    return true
  }

  rewind(): void {
    this.#walk = this.#all()
    this.#current = undefined
  }

  next(): boolean {
    const present = new Set(this.#all())
    do this.#current = this.#walk.shift()
    while (this.#current !== undefined && !present.has(this.#current))
    return this.#current !== undefined
  }

  get key(): ByteRange {
    return rangeOf(this.#current, 'key')
  }

  get value(): ValueCursor {
    return new TreeValue(childOf(this.#current, 'value'))
  }

  keyText(): string {
    return textOf(bytesOf(this.#current, 'key'))
  }

  setCurrent(value: EncodedValue): void {
    this.#setValue(this.#current!, value)
  }

  deleteCurrent(): void {
    this.#remove([this.#current!])
  }

  #setValue(attribute: PlainMessage, value: EncodedValue): void {
    setChild(attribute, 'value', readAnyValue(value))
    this.#touch()
  }

  #remove(attributes: readonly PlainMessage[]): void {
    const owner = this.#owner()
    for (const attribute of attributes) if (owner && removeChild(owner, attribute)) this.#touch()
  }
}
