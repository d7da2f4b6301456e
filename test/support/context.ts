import type { Component, ComponentContext, Deadline, LedgerEntries, Storage } from '../../src/component/contracts.ts'
import { NO_NAMESAKES } from '../../src/component/namesakes.ts'
import { SharedBoard } from '../../src/memory/shared-board.ts'
import { SIGNALS } from '../../src/otlp/batch.ts'
import { NO_TRACER } from '../../src/telemetry/tracer.ts'
import { Admission } from '../../src/transport/admission.ts'
import { FakeClock } from './fake-clock.ts'
import { type LogLine, memoryLog } from './memory-log.ts'
import { MemoryMeter } from './memory-meter.ts'

/** A context with everything that a component said through it laid open. */
export interface TestContext extends ComponentContext {
  readonly clock: FakeClock
  readonly meter: MemoryMeter
  /** Log lines, oldest first. */
  readonly lines: LogLine[]
  /** Calls of `listening`, in order. */
  readonly endpoints: { readonly transport: string; readonly address: string }[]
  /** Calls of `report`, in order. */
  readonly reports: { readonly status: string; readonly message?: string }[]
  /** Ledger entries by `dropped/<signal>/<reason>`, `failed/<signal>/<reason>` and `folded/<signal>`. */
  readonly booked: Map<string, number>
}

type Overrides = Partial<Omit<ComponentContext, 'clock' | 'meter' | 'log'>> & {
  readonly clock?: FakeClock
  readonly meter?: MemoryMeter
  readonly extensions?: Readonly<Record<string, Component>>
}

/**
 * A component's surroundings for tests: silent log, memory meter, a clock that stands still, empty storage, all four
 * signals. Override what the test is about.
 */
export function testContext(overrides: Overrides = {}): TestContext {
  const { extensions = {}, ...rest } = overrides
  const { log, lines } = memoryLog()
  const board = new SharedBoard(SharedBoard.memory(), 0)
  const booked = new Map<string, number>()
  const endpoints: { transport: string; address: string }[] = []
  const reports: { status: string; message?: string }[] = []
  return {
    kind: 'exporter',
    id: 'test',
    signals: SIGNALS,
    clock: new FakeClock(),
    meter: new MemoryMeter(),
    tracer: NO_TRACER,
    lane: { index: 0, count: 1 },
    namesakes: NO_NAMESAKES,
    storage: memoryStorage(),
    admission: Admission.unbounded(),
    memory: { used: () => 0 },
    shared: (name) => board.piece(name),
    ledger: memoryLedger(booked),
    listening: (endpoint) => void endpoints.push(endpoint),
    extension: (id) => extensions[id],
    report: (status, message) => void reports.push({ status, ...(message !== undefined && { message }) }),
    ...rest,
    log,
    lines,
    endpoints,
    reports,
    booked,
  }
}

function memoryStorage(): Storage {
  const values = new Map<string, Uint8Array>()
  return {
    get: async (key) => values.get(key),
    set: async (key, value) => void values.set(key, value.slice()),
    delete: async (key) => void values.delete(key),
  }
}

function memoryLedger(booked: Map<string, number>): LedgerEntries {
  const book = (entry: string, items: number): void => void booked.set(entry, (booked.get(entry) ?? 0) + items)
  return {
    dropped: (signal, reason, items) => book(`dropped/${signal}/${reason}`, items),
    failed: (signal, reason, items) => book(`failed/${signal}/${reason}`, items),
    folded: (signal, items) => book(`folded/${signal}`, items),
    made: (signal, items) => book(`made/${signal}`, items),
    given: (signal, items) => book(`given/${signal}`, items),
    taken: (signal, items) => book(`taken/${signal}`, items),
  }
}

/** A deadline `ms` away on the test's clock; 0 has passed already. */
export function deadlineIn(clock: FakeClock, ms: number): Deadline {
  const controller = new AbortController()
  const end = clock.monotonic() + ms
  if (ms <= 0) controller.abort()
  else clock.setTimeout(() => controller.abort(), ms)
  return { remaining: () => Math.max(0, end - clock.monotonic()), signal: controller.signal }
}
