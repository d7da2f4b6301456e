import type { Batch } from '../otlp/batch.ts'

/** What became of one attempt. */
export type SendResult =
  | {
      readonly ok: true
      /** Items that the peer's partial success refused for good; absent means none. */
      readonly rejected?: number
      /** What the peer said about them. */
      readonly message?: string
    }
  | SendFailure

export interface SendFailure {
  readonly ok: false
  /** `retry`: the same bytes may be taken later. `reject`: never. */
  readonly verdict: 'retry' | 'reject'
  /** The ledger's reason: `unreachable`, `timeout`, `rejected`, … */
  readonly reason: string
  /** What happened, without the exporter's name: `cannot reach 127.0.0.1:4317: ECONNREFUSED`. */
  readonly message: string
  /** The wait that the peer asked for (RetryInfo, Retry-After), in ms. */
  readonly retryAfterMs?: number
  readonly grpcStatus?: number
  /** The peer takes no request of this size; the same items in smaller ones it may. Comes with `reject`. */
  readonly tooLarge?: boolean
}

export interface SendOptions {
  /** 0: no limit. */
  readonly timeoutMs: number
  /**
   * To be called once, when nothing of this attempt reads the batch's bytes any more, which may be later than the
   * result: a socket may still send them after a time-out. Until then their memory is not used again.
   */
  readonly release: () => void
}

/**
 * One attempt to bring a batch to its peer. A rejected promise counts as a failure that may be tried again, and says that
 * nothing reads the batch's bytes any more.
 */
export type Send = (batch: Batch, options: SendOptions) => Promise<SendResult>
