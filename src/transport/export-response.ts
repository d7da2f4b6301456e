import { bytesField, varintField, visitFields } from './protobuf-fields.ts'

/** What a peer that took a request says of the items it did not take. The same fields serve every signal. */
export interface PartialSuccess {
  /** Items refused for good. */
  readonly rejected: number
  /** Empty where the peer said nothing. */
  readonly message: string
}

/** Reads an `Export…ServiceResponse`; undefined when the bytes are none. Plain success reads as nothing rejected. */
export function decodeExportResponse(bytes: Uint8Array): PartialSuccess | undefined {
  let rejected = 0
  let message = ''
  let whole = true
  const outer = visitFields(bytes, (field, value) => {
    if (field !== 1 || typeof value === 'number') return
    const inner = visitFields(value, (part, content) => {
      if (part === 1 && typeof content === 'number') rejected = Math.max(0, content)
      else if (part === 2 && typeof content !== 'number') message = new TextDecoder().decode(content)
    })
    whole &&= inner
  })
  return outer && whole ? { rejected, message } : undefined
}

/** Reads the JSON form of the same; undefined when the text is none. */
export function decodeJsonExportResponse(text: string): PartialSuccess | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(parsed)) return undefined
  const partial = isRecord(parsed['partialSuccess']) ? parsed['partialSuccess'] : {}
  // int64 is a string in protobuf's JSON; some servers write a number.
  const counts = ['rejectedSpans', 'rejectedDataPoints', 'rejectedLogRecords', 'rejectedProfiles']
  const rejected = counts.map((name) => Number(partial[name] ?? 0)).find((count) => count > 0) ?? 0
  const message = partial['errorMessage']
  return { rejected, message: typeof message === 'string' ? message : '' }
}

/** The response of a request of which `rejected` items were refused for good. */
export function encodeExportResponse({ rejected, message }: PartialSuccess): Uint8Array {
  const partial = [
    ...(rejected > 0 ? varintField(1, rejected) : []),
    ...(message === '' ? [] : bytesField(2, new TextEncoder().encode(message))),
  ]
  return Uint8Array.from(partial.length === 0 ? [] : bytesField(1, partial))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
