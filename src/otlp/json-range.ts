import { KIND } from './json-fields.ts'
import * as number from './json-number.ts'

const { INT32, SINT32, ENUM, UINT32, FIXED32, INT64, SFIXED64 } = KIND

/** Whether what `json-number.ts` holds fits into the field. */
export function isInRange(kind: number): boolean {
  const { low, high, negative } = number
  switch (kind) {
    case INT64:
    case SFIXED64:
      return high < 0x8000_0000 || (negative && high === 0x8000_0000 && low === 0)
    case INT32:
    case SINT32:
    case ENUM:
      return high === 0 && (low < 0x8000_0000 || (negative && low === 0x8000_0000))
    case UINT32:
    case FIXED32:
      return high === 0 && (!negative || low === 0)
    default:
      return !negative || (high === 0 && low === 0)
  }
}

/** What such a field takes, for a message. */
export function rangeOf(kind: number): string {
  switch (kind) {
    case INT64:
    case SFIXED64:
      return 'an integer of 64 bits'
    case INT32:
    case SINT32:
    case ENUM:
      return 'an integer of 32 bits'
    case UINT32:
    case FIXED32:
      return 'an integer from 0 to 4294967295'
    default:
      return 'an integer from 0 to 18446744073709551615'
  }
}
