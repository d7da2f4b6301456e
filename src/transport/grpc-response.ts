import { arenas } from '../otlp/arena.ts'
import { decompress } from './compression.ts'
import { GRPC_ENCODINGS } from './grpc-encodings.ts'
import type { MessageReader } from './grpc-message.ts'
import { type CallStatus, GRPC } from './unary.ts'

const EMPTY = new Uint8Array(0)

/**
 * The response that `reader` has taken, decompressed as `encoding`, the answer's `grpc-encoding`, says; a status says why it is
 * none. Servers on grpc-go answer in the encoding of the request, whatever the client says that it takes.
 */
export function readResponse(
  reader: MessageReader | undefined,
  encoding: string | undefined,
  limit: number,
): Uint8Array | CallStatus {
  if (reader === undefined) return EMPTY
  const problem = reader.problemAtEnd()
  if (problem !== undefined) return problem
  const { message, compressed } = reader
  // A few bytes that nobody releases: not from the pool, which would miss them.
  if (!compressed) return Uint8Array.from(message)
  const known = Object.entries(GRPC_ENCODINGS).find(([name]) => name === encoding)
  if (known === undefined) {
    return {
      code: GRPC.INTERNAL,
      message: `it is compressed by grpc-encoding "${encoding ?? ''}", which nobody asked for`,
    }
  }
  try {
    const plain = decompress(known[1], message, { limit })
    const response = Uint8Array.from(plain)
    arenas.release(plain)
    return response
  } catch (error) {
    return { code: GRPC.INTERNAL, message: (error as Error).message }
  }
}
