import type { ComponentContext } from '../../../src/component/contracts.ts'
import { define } from '../../../src/component/define.ts'
import type { RecordProcessor } from '../../../src/component/record-processor.ts'
import type { Attributes, SpanCursor } from '../../../src/otlp/cursors.ts'
import { encodeValue } from '../../../src/otlp/encode.ts'

/*
 * A sketch, to try the contract: masks attribute values of spans that have 13 digits or more in a row, looking at bytes only.
 */

const MASKED = encodeValue('****')
const LONGEST_NUMBER = 12

export default define({
  kind: 'processor',
  type: 'sketched_redaction',
  stability: 'development',
  signals: ['traces'],
  summary: 'Masks what could be the number of a card.',
  config: {},
  record: (_, ctx) => new Redaction(ctx),
})

class Redaction implements RecordProcessor {
  readonly access = { record: { reads: ['record'], writes: ['record'] } } as const
  readonly #masked: { add(n: number): void }
  #found = 0

  constructor(ctx: ComponentContext) {
    const description = 'Attribute values that were masked.'
    this.#masked = ctx.meter.counter('sketch_masked_values', { processor: ctx.id }, { description })
  }

  span({ attributes, events }: SpanCursor): void {
    this.#mask(attributes)
    for (events.rewind(); events.next(); ) this.#mask(events.current.attributes)
  }

  commit(): void {
    this.#masked.add(this.#found)
    this.#found = 0
  }

  abort(): void {
    this.#found = 0
  }

  #mask(attributes: Attributes): void {
    for (attributes.rewind(); attributes.next(); ) {
      const { value } = attributes
      if (value.kind !== 'string' || !hasNumber(value.buffer, value.start, value.end)) continue
      attributes.setCurrent(MASKED)
      this.#found++
    }
  }
}

function hasNumber(bytes: Uint8Array, start: number, end: number): boolean {
  let digits = 0
  for (let p = start; p < end; p++) {
    digits = bytes[p]! >= 48 && bytes[p]! <= 57 ? digits + 1 : 0
    if (digits > LONGEST_NUMBER) return true
  }
  return false
}
