import type { ComponentContext } from '../component/contracts.ts'
import { Spokesman } from '../telemetry/spokesman.ts'
import type { ExportCode } from './codes.ts'
import { Summary } from './summary.ts'

/** A peer that comes and goes gets one line per this many milliseconds. */
const OUTAGE_EVERY_MS = 10_000
/** While it stays away, and for what loses nothing. */
const REMINDER_EVERY_MS = 60_000
const LOSS_EVERY_MS = 10_000

/**
 * What an exporter says to people. A line when the peer stops taking data, one when it takes it again, one when data is
 * lost; never one per batch, however many fail. The log itself names the exporter. Where several lanes lose their peer, one
 * of them says so.
 */
export class ExportLog {
  readonly #ctx: ComponentContext
  readonly #held: () => number
  readonly #lost: Summary
  readonly #full: Summary
  readonly #blocked: Summary
  readonly #partial: Summary
  readonly #tooLarge: Summary
  readonly #spokesman: Spokesman
  #outage: { readonly since: number; failures: number; said: boolean } | undefined
  #lastWarning = Number.NEGATIVE_INFINITY

  /** `held` tells how many batches the exporter holds. */
  constructor(ctx: ComponentContext, held: () => number) {
    this.#ctx = ctx
    this.#held = held
    this.#spokesman = new Spokesman(ctx.shared('outage'), ctx.lane.index)
    this.#lost = new Summary(ctx.clock, LOSS_EVERY_MS, ({ items, batches, cause }) => {
      this.#say(
        'error',
        'EXPORT_LOST',
        `${count(items, 'item')} in ${count(batches, 'batch')} ${items === 1 ? 'is' : 'are'} lost${of(batches)}: ${cause}`,
      )
    })
    this.#full = new Summary(ctx.clock, REMINDER_EVERY_MS, ({ items, batches, cause }) => {
      this.#say(
        'warn',
        'EXPORT_QUEUE_FULL',
        `${cause}; told the senders of ${count(batches, 'batch')} (${items === 0 ? 'unread' : `${count(items, 'item')} in those that were read`}) to come again`,
      )
    })
    this.#blocked = new Summary(ctx.clock, REMINDER_EVERY_MS, ({ items, batches, cause }) => {
      this.#say(
        'warn',
        'EXPORT_QUEUE_FULL',
        `${cause}; let the senders of ${count(batches, 'batch')} (${count(items, 'item')}) wait for room`,
      )
    })
    this.#partial = new Summary(ctx.clock, REMINDER_EVERY_MS, ({ items, batches, cause }) => {
      this.#say(
        'warn',
        'EXPORT_PARTIAL_SUCCESS',
        `the peer refused ${count(items, 'item')} of ${count(batches, 'batch')} for good${of(batches)}: ${cause}`,
      )
    })
    this.#tooLarge = new Summary(ctx.clock, REMINDER_EVERY_MS, ({ batches, cause }) => {
      this.#say(
        'warn',
        'EXPORT_TOO_LARGE',
        `the peer refused ${count(batches, 'request')} for ${batches === 1 ? 'its' : 'their'} size${of(batches)}: ${cause}`,
      )
    })
  }

  /** The peer refused a request of `items` for its size; `message` says what it said and what is done about it. */
  tooLarge(items: number, message: string): void {
    this.#tooLarge.add(items, message)
  }

  attemptFailed(reason: string, message: string): void {
    const now = this.#ctx.clock.monotonic()
    if (this.#outage === undefined) {
      this.#outage = { since: now, failures: 0, said: false }
      this.#ctx.report('recoverable', message)
    }
    const outage = this.#outage
    outage.failures++
    if (now - this.#lastWarning < (outage.said ? REMINDER_EVERY_MS : OUTAGE_EVERY_MS)) return
    if (!this.#spokesman.speaks('outage', this.#ctx.clock.now())) return
    const lasting = outage.said ? ` (for ${seconds(now - outage.since)}, ${outage.failures} attempts)` : ''
    this.#say(
      'warn',
      reason === 'unreachable' ? 'EXPORT_UNREACHABLE' : 'EXPORT_FAILING',
      `${message}${lasting}; ${count(this.#held(), 'batch')} held`,
    )
    outage.said = true
    this.#lastWarning = now
  }

  attemptSucceeded(): void {
    const outage = this.#outage
    if (outage === undefined) return
    this.#outage = undefined
    this.#ctx.report('ok')
    if (!outage.said) return
    const lasted = seconds(this.#ctx.clock.monotonic() - outage.since)
    this.#ctx.log.info(`works again after ${lasted} and ${count(outage.failures, 'failed attempt')}`)
  }

  /** Data that somebody was told is safe is given up on. */
  lost(items: number, cause: string): void {
    this.#lost.add(items, cause)
  }

  /** The queue had no room for a batch; 0 items where nobody had read it. */
  refused(items: number, cause: string): void {
    this.#full.add(items, cause)
  }

  blocked(items: number, cause: string): void {
    this.#blocked.add(items, cause)
  }

  partial(rejected: number, message: string): void {
    this.#partial.add(rejected, message)
  }

  /** Says what is unsaid and leaves no timer. */
  close(): void {
    this.#lost.flush()
    this.#full.flush()
    this.#blocked.flush()
    this.#partial.flush()
    this.#tooLarge.flush()
  }

  #say(level: 'warn' | 'error', code: ExportCode, text: string): void {
    this.#ctx.log[level](`${text}  (${code})`)
  }
}

/** `31 s`, `1.5 s`, `250 ms`. */
export function seconds(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  return `${Math.round(ms / 100) / 10} s`
}

/** Whose cause follows, where a line speaks of several. */
function of(batches: number): string {
  return batches === 1 ? '' : ', the last because of this'
}

function count(n: number, noun: string): string {
  if (n === 1) return `1 ${noun}`
  return `${n} ${noun}${noun.endsWith('ch') ? 'es' : 's'}`
}
