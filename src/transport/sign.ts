import type { BatchContext } from '../otlp/batch.ts'
import { type CallResult, GRPC } from './unary.ts'

type Headers = Readonly<Record<string, string>>

/**
 * Makes the headers of one call of those that every call has: adds what proves who sends, changes, leaves out. Lower-case
 * names. `context` is that of the batch, where it is known.
 */
export type Sign = (sent: Headers, context: BatchContext | undefined) => Headers | Promise<Headers>

/** There are no headers for this call, and there will be none for it later. */
export class UnsendableError extends Error {
  override readonly name = 'UnsendableError'
}

/** The headers, or the failed call that it is without them. Never rejects. */
export async function signed(
  sign: Sign,
  sent: Headers,
  context: BatchContext | undefined,
): Promise<{ readonly headers: Headers } | Extract<CallResult, { readonly ok: false }>> {
  try {
    return { headers: await sign(sent, context) }
  } catch (error) {
    if (error instanceof UnsendableError) {
      return {
        ok: false,
        status: { code: GRPC.INVALID_ARGUMENT, message: `no headers for the request: ${error.message}` },
      }
    }
    // Of the moment, such as a token that is being renewed: the same call may do later.
    const message = `no credentials: ${error instanceof Error ? error.message : String(error)}`
    return { ok: false, status: { code: GRPC.UNAVAILABLE, message }, connection: 'ECREDENTIALS' }
  }
}
