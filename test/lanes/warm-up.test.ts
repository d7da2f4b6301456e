// What a lane does to itself before it is ready. What that is worth: the first requests of `bench/`, not this.
import { expect, test } from 'vitest'
import type { ComponentContext } from '../../src/component/contracts.ts'
import { type Definition, define } from '../../src/component/define.ts'
import type { RecordProcessor } from '../../src/component/record-processor.ts'
import type { ResolvedConfig } from '../../src/config/resolved.ts'
import { SluiceError } from '../../src/errors.ts'
import { warmUp } from '../../src/lanes/warm-up.ts'
import { SIGNALS, type Signal } from '../../src/otlp/batch.ts'
import { testContext } from '../support/context.ts'
import { ownTelemetry } from '../support/own-telemetry.ts'

const REQUESTS = 400
/** Made-up spans and log records in each of them. */
const RECORDS = 32
/** No test is about the half second that it may take. */
const LONG_MS = 60_000

/** Warms up a pipeline for each signal through a processor that `of` makes; what the lane's own context has of it. */
async function warm(of: (ctx: ComponentContext) => RecordProcessor, stop = () => false) {
  const processor = define({
    kind: 'processor',
    type: 'tried',
    stability: 'beta',
    signals: SIGNALS,
    summary: 'For tests.',
    config: {},
    record: (_, ctx) => of(ctx),
  }) as Definition
  const context = testContext({ kind: 'processor', id: 'tried' })
  const signals: readonly Signal[] = ['traces', 'metrics', 'logs', 'profiles']
  const config: ResolvedConfig = {
    receivers: {},
    processors: { tried: { type: 'tried', config: {} } },
    exporters: {},
    connectors: {},
    extensions: {},
    service: {
      extensions: [],
      pipelines: signals.map((signal) => ({
        id: signal,
        signal,
        receivers: ['nop'],
        processors: ['tried'],
        exporters: ['nop'],
      })),
      telemetry: ownTelemetry(),
    } as unknown as ResolvedConfig['service'],
  } as unknown as ResolvedConfig
  await warmUp(config, { definition: () => processor, context: () => context }, stop, LONG_MS)
  return context
}

const ACCESS = { record: { reads: ['record'], writes: ['record'] } } as const

test('made-up records of each signal pass the processors, and nothing of them is counted, booked or shared', async () => {
  const seen = { span: 0, log: 0, dataPoint: 0, committed: 0 }
  const context = await warm((ctx) => {
    const counter = ctx.meter.counter('tried', {}, { description: 'For tests.' })
    return {
      access: ACCESS,
      span: () => void seen.span++,
      log: () => void seen.log++,
      dataPoint: () => void seen.dataPoint++,
      commit() {
        seen.committed++
        counter.add(1)
        ctx.ledger!.dropped('traces', 'tried', 1)
        ctx.shared('goal').cells[1]!++
      },
    }
  })
  // There is no made-up data of profiles.
  expect(seen).toMatchObject({ committed: 3 * REQUESTS, span: REQUESTS * RECORDS, log: REQUESTS * RECORDS })
  expect(seen.dataPoint).toBeGreaterThanOrEqual(REQUESTS)
  expect([context.meter.series, context.booked.size, context.shared('goal').cells[1]]).toEqual([{}, 0, 0])
})

test('a processor that cannot be made without its extension, or throws at made-up data, stays cold', async () => {
  let made = 0
  await warm((ctx) => {
    if (made++ === 0 && ctx.extension('it') === undefined) throw new SluiceError('EXTENSION_MISSING', 'it does not run')
    return {
      access: ACCESS,
      commit() {
        throw new Error('for a test')
      },
    }
  })
  // One for each signal that there is made-up data of.
  expect(made).toBe(3)
})

test('a lane that is to stop does not warm up', async () => {
  let spans = 0
  await warm(
    () => ({ access: ACCESS, span: () => void spans++ }),
    () => true,
  )
  expect(spans).toBe(0)
})
