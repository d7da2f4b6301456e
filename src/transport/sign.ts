import type { BatchContext } from '../otlp/batch.ts'
import { type CallResult, GRPC } from './unary.ts'

/** Headers that prove who sends, for one call. `context` is that of the batch, where it is known. */
export type Sign = (
  context: BatchContext | undefined,
) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>

/** The headers, or the failed call that it is without them. Never rejects. */
export async function signed(
  sign: Sign,
  context: BatchContext | undefined,
): Promise<{ readonly headers: Readonly<Record<string, string>> } | CallResult> {
  try {
    return { headers: await sign(context) }
  } catch (error) {
    // Of the moment, such as a token that is being renewed: the same call may do later.
    const message = `no credentials: ${error instanceof Error ? error.message : String(error)}`
    return { ok: false, status: { code: GRPC.UNAVAILABLE, message } }
  }
}
