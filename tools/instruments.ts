/**
 * Every instrument that there is, for the table in src/telemetry/README.md: each piece of code that makes some is asked to
 * make them on a meter that is then read.
 */

import { batchMetrics } from '../processors/batch/metrics.ts'
import { limiterMetrics } from '../processors/memory_limiter/metrics.ts'
import { skippedItems } from '../receivers/generator/skipped-items.ts'
import { receiverMetrics } from '../receivers/otlp/metrics.ts'
import { admissionReadings } from '../src/admin/admission-readings.ts'
import { exportDrops, exportFailures } from '../src/admin/export-instruments.ts'
import { connectionReadings, laneInstruments } from '../src/admin/lane-instruments.ts'
import { processReadings, targetInfo } from '../src/admin/process-readings.ts'
import { Conversion } from '../src/component/attribute-convert.ts'
import type { ComponentContext } from '../src/component/contracts.ts'
import { ack, type Consumer, deliver, nack } from '../src/component/delivery.ts'
import { COMPONENT_ERROR, receiverOutput } from '../src/graph/edges.ts'
import { measured, pipelineDuration } from '../src/graph/measured.ts'
import { healthGauge } from '../src/lanes/health-gauge.ts'
import { givenBatches } from '../src/lanes/spread-entrance.ts'
import { limiterGauges } from '../src/memory/limiter-gauges.ts'
import { makeBatch, SIGNALS } from '../src/otlp/batch.ts'
import { Key } from '../src/otlp/key.ts'
import { exporterMetrics } from '../src/queue/metrics.ts'
import { observedCalls, observedClient } from '../src/telemetry/call-metrics.ts'
import { heldReadings, ledgerRows, PipelineLedger } from '../src/telemetry/ledger.ts'
import type { Across } from '../src/telemetry/meter.ts'
import { MeterRegistry, type Reading } from '../src/telemetry/registry.ts'
import { SharedMeter } from '../src/telemetry/shared-meter.ts'
import { threadMetrics } from '../src/telemetry/thread-metrics.ts'
import { Admission } from '../src/transport/admission.ts'
import type { Client, ServerCall } from '../src/transport/unary.ts'

export interface Instrument {
  readonly name: string
  readonly kind: Reading['kind']
  readonly unit: string
  readonly level: string
  /** Of a gauge that does not add up over lanes. */
  readonly across?: Across
  readonly labels: readonly string[]
  readonly description: string
}

/** By name. */
export async function instruments(): Promise<readonly Instrument[]> {
  const registry = new MeterRegistry()
  const memory = SharedMeter.memory()
  const meter = new SharedMeter(memory, registry.attach(memory), 'detailed')
  const ctx = { id: 'x', meter, signals: SIGNALS, pipeline: 'x' } as unknown as ComponentContext
  atGraph(meter)
  threadMetrics(meter, 'main').stop()
  healthGauge(meter, 'receiver x')
  laneInstruments(meter).replaced('lane-1')
  givenBatches(meter)
  exportFailures(meter, 'logs')
  exportDrops(meter, 'logs')
  for (const signal of SIGNALS) exporterMetrics(meter, 'x', signal).sendFailed(1, 'x', true)
  batchMetrics(ctx, true)
  limiterMetrics(ctx)
  limiterGauges(meter, 'processor x')
  new Conversion(Key.of('x'), 'int', ctx)
  for (const metrics of Object.values(receiverMetrics(meter, 'x', 'grpc', SIGNALS))) metrics.refused('x')
  skippedItems(meter, 'x', 'traces')
  await calls(meter)
  const counted = registry.read()
  const readings = [
    ...counted,
    ...heldReadings(ledgerRows(counted)),
    ...processReadings(0),
    ...admissionReadings(Admission.unbounded()),
    ...connectionReadings(new Map([[0, 0]])),
    targetInfo({}),
  ]
  return described(readings)
}

function atGraph(meter: SharedMeter): void {
  const ledger = new PipelineLedger(meter, 'x')
  ledger.failed('x', 1)
  ledger.dropped('x', 'x', 1)
  ledger.folded('x', 1)
  ledger.given(1)
  ledger.taken(1)
  pipelineDuration(meter, 'x')
  const next: Consumer = { acknowledges: 'delivered', consume: ack }
  const broken: Consumer = {
    acknowledges: 'delivered',
    consume: (delivery) => nack(delivery, { verdict: 'reject', reason: COMPONENT_ERROR, message: '' }),
  }
  for (const signal of SIGNALS) {
    for (const behind of [next, broken]) {
      const batch = makeBatch(signal, [], 1, { arrivedAt: 0, transport: 'grpc' })
      receiverOutput('x', signal, meter, behind).consume(deliver(batch, { settled() {} }))
    }
    measured('x', signal, meter, next)
  }
}

async function calls(meter: SharedMeter): Promise<void> {
  const call = { head: { signal: 'traces' }, body: new Uint8Array(), ok() {} } as unknown as ServerCall
  const client: Client = {
    call: async () => ({ ok: true, response: new Uint8Array() }),
    close: async () => {},
  }
  for (const protocol of ['grpc', 'http'] as const) {
    observedCalls(meter, protocol)?.(call).ok()
    await observedClient(client, meter, protocol, 'http://x:1').call('traces', [], { timeoutMs: 0 })
  }
}

function described(readings: readonly Reading[]): Instrument[] {
  const found = new Map<string, { instrument: Instrument; labels: Set<string> }>()
  for (const reading of readings) {
    const { name, kind, unit, level = 'basic', description, labels } = reading
    let known = found.get(name)
    if (known === undefined) {
      const across = kind === 'gauge' && reading.across !== undefined ? { across: reading.across } : {}
      known = { instrument: { name, kind, unit, level, ...across, description, labels: [] }, labels: new Set() }
      found.set(name, known)
    }
    for (const label of Object.keys(labels)) known.labels.add(label)
  }
  return [...found.values()]
    .map(({ instrument, labels }) => ({ ...instrument, labels: [...labels] }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}
