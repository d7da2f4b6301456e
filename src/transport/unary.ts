import type { BatchContext, Signal } from '../otlp/batch.ts'
import type { Reservation } from './reservation.ts'

/** gRPC status codes by name: https://grpc.io/docs/guides/status-codes/ */
export const GRPC = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const

/** Why a call failed, in gRPC's terms; HTTP's follow from it (OTLP specification, "OTLP/HTTP Response"). */
export interface CallStatus {
  readonly code: number
  readonly message: string
  /** Becomes `google.rpc.RetryInfo` and `Retry-After`. */
  readonly retryAfterMs?: number
  /** Where HTTP has a truer word than what follows from `code`: 413. */
  readonly httpStatus?: number
  /** What metrics call it: snake_case, few values. It is not sent. */
  readonly reason?: string
}

/** What is known of a request before its body. */
export interface RequestHead {
  readonly protocol: 'grpc' | 'http'
  /** `host:port` of the client. */
  readonly peer: string
  /** What an authenticator learned of the client; undefined where nobody asked. */
  auth: AuthAttributes | undefined
  /** One header by its lower-case name, several of a name joined as HTTP joins them; undefined where there is none. */
  header(name: string): string | undefined
  /** One parameter of the URL's query, decoded; gRPC has none. */
  query(name: string): string | undefined
  /** Lower-case names. Built when asked for: most calls never look. */
  metadata(): Record<string, readonly string[]>
}

/** The head of an OTLP call. */
export interface CallHead extends RequestHead {
  readonly signal: Signal
}

/** Who a client is, by attribute (`username`, `subject`, …). Plain data. */
export type AuthAttributes = Readonly<Record<string, string | readonly string[]>>

/** One unary OTLP call with its whole body, decompressed. Answered exactly once, by `ok` or `fail`. */
export interface ServerCall {
  readonly head: CallHead
  /** What was sent. It lies in the reservation's memory. */
  readonly body: Uint8Array
  /** The handler's from now on, who releases it: the body's memory and its share of the byte budget. */
  readonly reservation: Reservation
  /** Aborts when the client has gone or its deadline passed; answering then does nothing. */
  readonly gone: boolean
  /** When the client gives up, on `performance.now`'s scale; absent where it did not say. */
  readonly deadline?: number | undefined
  onGone(callback: () => void): void
  /** Sends an Export response, serialized; empty for plain success. */
  ok(response?: Uint8Array): void
  fail(status: CallStatus): void
}

/** Of a call that was let in. */
export interface Entrance {
  /** More of its body came. */
  arriving(): void
  /** Its body is whole and `length` bytes, or 0: it will not come any more. No effect the second time. */
  arrived(length: number): void
}

export interface ServerHandler {
  /** Runs at the headers, before any of the body is read; a status refuses the call. */
  authorise?(head: CallHead): CallStatus | undefined | Promise<CallStatus | undefined>
  /**
   * Runs after that, and before any of the body is read: whether what lies behind would take it. `length` of the body that is to be
   * handled, where the headers say it. A status refuses the call; undefined: nobody wants to know when it has come.
   */
  enter?(head: CallHead, length: number | undefined): CallStatus | Entrance | undefined
  /** Counts a call that was answered before it was whole, by the `reason` of its status. */
  refused?(head: CallHead, reason: string): void
  handle(call: ServerCall): void
  /** A call was answered whose body could not be brought into protobuf. */
  malformed?(head: CallHead): void
}

/** Asks whether a call may come in; when the one who is asked fails, the client is told to come again, since that is no fault of its own. */
export function ask(handler: ServerHandler, head: CallHead): CallStatus | undefined | Promise<CallStatus | undefined> {
  try {
    const verdict = handler.authorise?.(head)
    return verdict instanceof Promise ? verdict.catch(authoriserFailed) : verdict
  } catch (error) {
    return authoriserFailed(error)
  }
}

function authoriserFailed(error: unknown): CallStatus {
  const why = error instanceof Error ? error.message : String(error)
  return { code: GRPC.UNAVAILABLE, message: `cannot tell whether this call may come in: ${why}`, retryAfterMs: 1000 }
}

export interface Server {
  /** Where it listens: `127.0.0.1:4317`, after port 0 was bound. */
  readonly address: string
  /** Refuses new calls (GOAWAY, `Connection: close`), waits for those under way until the signal aborts, then cuts. */
  close(signal: AbortSignal): Promise<void>
}

/** What became of a call that a client made. */
export type CallResult =
  | { readonly ok: true; readonly response: Uint8Array }
  | {
      readonly ok: false
      readonly status: CallStatus
      /** HTTP status where the transport was HTTP. */
      readonly httpStatus?: number
      /** The peer never saw the call, or nobody knows: `ECONNREFUSED`, `ETIMEDOUT`, … */
      readonly connection?: string
    }

export interface Client {
  /**
   * Sends the chunks, laid end to end, as one request. Never rejects: failures are results. `release` runs when no write references the
   * chunks any more, which after a time-out may be later than the result.
   */
  call(signal: Signal, chunks: readonly Uint8Array[], options: CallOptions): Promise<CallResult>
  close(): Promise<void>
}

export interface CallOptions {
  /** 0: no limit. */
  readonly timeoutMs: number
  readonly release?: () => void
  /** Of the batch, for whoever signs requests with what came in. */
  readonly context?: BatchContext
}
