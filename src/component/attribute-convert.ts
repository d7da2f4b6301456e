import type { Attributes, EncodedValue, PlainValue, ValueCursor } from '../otlp/cursors.ts'
import { Writer } from '../otlp/encode.ts'
import type { Key } from '../otlp/key.ts'
import { parseFloat64, parseInt64, valueText } from '../otlp/value-text.ts'
import type { Counter } from '../telemetry/meter.ts'
import type { ComponentContext } from './contracts.ts'

export const CONVERTED_TYPES = ['int', 'double', 'string'] as const
export type ConvertedType = (typeof CONVERTED_TYPES)[number]

/** Turns one attribute into another type. What cannot be turned stays as it is and is counted. */
export class Conversion {
  readonly #key: Key
  readonly #to: ConvertedType
  readonly #failures: Counter
  readonly #writer = new Writer(64)
  #pending = 0

  constructor(key: Key, to: ConvertedType, ctx: ComponentContext) {
    this.#key = key
    this.#to = to
    this.#failures = ctx.meter.counter(
      'sluice_attribute_convert_failures',
      { processor: ctx.id, ...(ctx.pipeline !== undefined && { pipeline: ctx.pipeline }), key: key.text, to },
      {
        description: 'Attributes that convert left as they were, because their value has no such form.',
        unit: '{attributes}',
      },
    )
  }

  run(attributes: Attributes): void {
    const value = attributes.get(this.#key)
    if (value === undefined || value.kind === this.#to) return
    const converted = convert(value, this.#to)
    if (converted === undefined) this.#pending++
    else attributes.update(this.#key, this.#encode(converted))
  }

  /** One writer for all records: making one for each costs more than the conversion. */
  #encode(value: PlainValue): EncodedValue {
    this.#writer.reset()
    this.#writer.anyValue(value)
    return this.#writer.finish()
  }

  commit(): void {
    if (this.#pending > 0) this.#failures.add(this.#pending)
    this.#pending = 0
  }

  abort(): void {
    this.#pending = 0
  }
}

function convert(value: ValueCursor, to: ConvertedType): PlainValue {
  switch (to) {
    case 'string':
      return valueText(value.plain())
    case 'int':
      return toInt(value)
    case 'double':
      return toDouble(value)
  }
}

function toInt(value: ValueCursor): PlainValue {
  switch (value.kind) {
    case 'string':
      return parseInt64(value.text())
    case 'bool':
      return value.bool() ? 1n : 0n
    case 'double':
      return truncate(value.number())
    default:
      return undefined
  }
}

function toDouble(value: ValueCursor): PlainValue {
  switch (value.kind) {
    case 'string':
      return parseFloat64(value.text())
    case 'bool':
      return value.bool() ? 1 : 0
    case 'int':
      return Number(value.bigint())
    default:
      return undefined
  }
}

/** Past 64 bits Go's result depends on the processor it runs on, so there is none to match: the value stays. */
function truncate(value: number): bigint | undefined {
  const whole = Math.trunc(value)
  return whole >= -(2 ** 63) && whole < 2 ** 63 ? BigInt(whole) : undefined
}
