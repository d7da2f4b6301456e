import type { Signal } from '../otlp/batch.ts'
import type { Counter, Meter } from './meter.ts'
import type { Reading } from './registry.ts'

/**
 * The books of one pipeline. Every item that enters ends once: sent (all exporters said yes), dropped (intended), failed,
 * or folded into an aggregate; what is accepted and not yet ended is held. Exact when nothing moves.
 *
 * Entry and exit of the pipeline book what passes them; a processor books what ends inside it.
 */
export class PipelineLedger {
  readonly #meter: Meter
  readonly #pipeline: string
  readonly #ends = new Map<string, Counter>()
  readonly #accepted: Counter
  readonly #sent: Counter
  #given: Counter | undefined
  #taken: Counter | undefined

  constructor(meter: Meter, pipeline: string) {
    this.#meter = meter
    this.#pipeline = pipeline
    const labels = { pipeline }
    this.#accepted = meter.counter(ACCEPTED, labels, {
      description: 'Items that entered the pipeline.',
      unit: '{items}',
      level: 'none',
    })
    this.#sent = meter.counter(SENT, labels, {
      description: 'Items that every exporter of the pipeline delivered.',
      unit: '{items}',
      level: 'none',
    })
  }

  accepted(items: number): void {
    this.#accepted.add(items)
  }

  sent(items: number): void {
    this.#sent.add(items)
  }

  failed(reason: string, items: number): void {
    this.#end(FAILED, { reason }, 'Items that could not be delivered.', items)
  }

  dropped(component: string, reason: string, items: number): void {
    this.#end(DROPPED, { component, reason }, 'Items that a processor left out on purpose.', items)
  }

  folded(component: string, items: number): void {
    this.#end(FOLDED, { component }, 'Items that went into an aggregate.', items)
  }

  /** Items that another lane answers for from now on. Negative undoes it: they did not reach it. */
  given(items: number): void {
    this.#given ??= this.#meter.counter(GIVEN, { pipeline: this.#pipeline }, MOVES.given)
    this.#given.add(items)
  }

  /** Items that another lane has given to this one, which answers for them from now on. */
  taken(items: number): void {
    this.#taken ??= this.#meter.counter(TAKEN, { pipeline: this.#pipeline }, MOVES.taken)
    this.#taken.add(items)
  }

  #end(name: string, labels: Record<string, string>, description: string, items: number): void {
    if (items === 0) return
    const id = `${name} ${labels.component ?? ''} ${labels.reason ?? ''}`
    let counter = this.#ends.get(id)
    if (counter === undefined) {
      counter = this.#meter.counter(
        name,
        { pipeline: this.#pipeline, ...labels },
        { description, unit: '{items}', level: 'none' },
      )
      this.#ends.set(id, counter)
    }
    counter.add(items)
  }
}

/** What a processor books itself, by its id, as its context has it. */
export function entriesOf(ledger: PipelineLedger, component: string) {
  return {
    failed: (_: Signal, reason: string, items: number): void => ledger.failed(reason, items),
    dropped: (_: Signal, reason: string, items: number): void => ledger.dropped(component, reason, items),
    folded: (_: Signal, items: number): void => ledger.folded(component, items),
    made: (_: Signal, items: number): void => ledger.accepted(items),
    given: (_: Signal, items: number): void => ledger.given(items),
    taken: (_: Signal, items: number): void => ledger.taken(items),
  }
}

const ACCEPTED = 'sluice_ledger_accepted_items'
const SENT = 'sluice_ledger_sent_items'
const FAILED = 'sluice_ledger_failed_items'
const DROPPED = 'sluice_ledger_dropped_items'
const FOLDED = 'sluice_ledger_folded_items'
const HELD = 'sluice_ledger_held_items'
const GIVEN = 'sluice_ledger_given_items'
const TAKEN = 'sluice_ledger_taken_items'

const MOVES = {
  given: { description: 'Items that a lane handed over to another.', unit: '{items}', level: 'none' },
  taken: { description: 'Items that a lane took over from another.', unit: '{items}', level: 'none' },
} as const

/** One pipeline's ledger as read from the meters. */
export interface LedgerRow {
  readonly pipeline: string
  accepted: number
  sent: number
  /** Reason → items; for drops `component: reason`. */
  readonly dropped: Record<string, number>
  readonly failed: Record<string, number>
  /** Component → items. */
  readonly folded: Record<string, number>
  /** Accepted and not ended: 0 at rest. */
  held: number
}

/** The ledger of every pipeline, from readings of the meters. */
export function ledgerRows(readings: Iterable<Reading>): LedgerRow[] {
  const rows = new Map<string, LedgerRow>()
  for (const reading of readings) {
    if (reading.kind === 'histogram') continue
    const { name, labels, value } = reading
    const { pipeline, component = '', reason = '' } = labels
    if (pipeline === undefined || !name.startsWith('sluice_ledger_') || name === HELD) continue
    let row = rows.get(pipeline)
    if (row === undefined) {
      row = { pipeline, accepted: 0, sent: 0, dropped: {}, failed: {}, folded: {}, held: 0 }
      rows.set(pipeline, row)
    }
    if (name === ACCEPTED) row.accepted += value
    else if (name === SENT) row.sent += value
    else if (name === FAILED) row.failed[reason] = (row.failed[reason] ?? 0) + value
    else if (name === DROPPED) {
      const key = `${component}: ${reason}`
      row.dropped[key] = (row.dropped[key] ?? 0) + value
    } else if (name === FOLDED) row.folded[component] = (row.folded[component] ?? 0) + value
  }
  for (const row of rows.values()) {
    row.held = row.accepted - row.sent - total(row.dropped) - total(row.failed) - total(row.folded)
  }
  return [...rows.values()].sort((a, b) => (a.pipeline < b.pipeline ? -1 : 1))
}

/** The reason for what a lane held that was lost. */
export const LANE_LOST = 'lane_lost'

/**
 * Books what a lane held when it was lost, given the last readings of its meter; items by pipeline. A lane books what comes in
 * before it books an end, so whatever two writes it died between, an item has one end at most, and this gives the others
 * theirs: one that was sent and not booked yet counts as lost, never the other way round.
 */
export function bookLost(meter: Meter, last: readonly Reading[]): Record<string, number> {
  const lost: Record<string, number> = {}
  for (const { pipeline, held } of ledgerRows(last)) {
    const own = held + counted(last, TAKEN, pipeline) - counted(last, GIVEN, pipeline)
    if (own <= 0) continue
    lost[pipeline] = own
    new PipelineLedger(meter, pipeline).failed(LANE_LOST, own)
  }
  return lost
}

/**
 * Books what was on its way between two lanes that have both ended, given the readings of all when none runs any more; items by pipeline. A
 * lane books as given what it hands over before it does, and as taken what it has begun with: whatever a lane died between, an item
 * that is in nobody's books was given and not taken.
 */
export function bookInTransit(meter: Meter, readings: readonly Reading[]): Record<string, number> {
  const lost: Record<string, number> = {}
  for (const { pipeline } of ledgerRows(readings)) {
    const between = counted(readings, GIVEN, pipeline) - counted(readings, TAKEN, pipeline)
    if (between <= 0) continue
    lost[pipeline] = between
    new PipelineLedger(meter, pipeline).failed(LANE_LOST, between)
  }
  return lost
}

function counted(readings: readonly Reading[], name: string, pipeline: string): number {
  let sum = 0
  for (const reading of readings) {
    if (reading.name !== name || reading.labels.pipeline !== pipeline || reading.kind === 'histogram') continue
    sum += reading.value
  }
  return sum
}

/** `held` as metrics, for the endpoint. */
export function heldReadings(rows: readonly LedgerRow[]): Reading[] {
  return rows.map(({ pipeline, held }) => ({
    kind: 'gauge',
    name: HELD,
    labels: { pipeline },
    description: 'Items accepted whose end is not booked yet.',
    unit: '{items}',
    value: held,
  }))
}

/** `readings` with what is held beside what is booked. */
export function withHeld(readings: readonly Reading[]): Reading[] {
  return [...readings, ...heldReadings(ledgerRows(readings))]
}

export function total(parts: Readonly<Record<string, number>>): number {
  let sum = 0
  for (const part of Object.values(parts)) sum += part
  return sum
}

/** The ledger as a table for people, one line a pipeline. */
export function ledgerTable(rows: readonly LedgerRow[]): string {
  const head = ['pipeline', 'accepted', 'sent', 'dropped', 'failed', 'folded', 'held']
  const body = rows.map((row) => [
    row.pipeline,
    count(row.accepted),
    count(row.sent),
    parts(row.dropped),
    parts(row.failed),
    parts(row.folded),
    count(row.held),
  ])
  const widths = head.map((title, i) => Math.max(title.length, ...body.map((line) => line[i]!.length)))
  return [head, ...body]
    .map((line) => line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '))
    .join('\n')
}

function count(n: number): string {
  return n.toLocaleString('en-US')
}

function parts(ends: Readonly<Record<string, number>>): string {
  const sum = total(ends)
  if (sum === 0) return '0'
  const named = Object.entries(ends).filter(([, items]) => items !== 0)
  return `${count(sum)} (${named.map(([why, items]) => (named.length === 1 ? why : `${why} ${count(items)}`)).join(', ')})`
}

/** What one item of a signal is called in metric names, as the Collector has it. */
export const ITEM_NAMES: Readonly<Record<Signal, string>> = {
  traces: 'spans',
  metrics: 'metric_points',
  logs: 'log_records',
  profiles: 'profile_samples',
}
