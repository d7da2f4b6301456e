import type { ComponentContext } from '../../src/component/contracts.ts'
import type { Signal } from '../../src/otlp/batch.ts'
import { ITEM_NAMES } from '../../src/telemetry/ledger.ts'
import type { Counter } from '../../src/telemetry/meter.ts'

/** Items that passed and that were refused; what came and left the graph counts. */
interface SignalMetrics {
  readonly accepted: Counter
  readonly refused: Counter
}

export type LimiterMetrics = Partial<Record<Signal, SignalMetrics>>

export function limiterMetrics({ id, meter, signals }: ComponentContext): LimiterMetrics {
  const labels = { processor: id }
  const of = (signal: Signal): SignalMetrics => {
    const items = ITEM_NAMES[signal]
    const name = `otelcol_processor_memory_limiter`
    const words = items.replace('_', ' ')
    return {
      accepted: meter.counter(`${name}_accepted_${items}`, labels, {
        description: `Number of ${words} successfully pushed into the next component in the pipeline.`,
        unit: `{${items}}`,
      }),
      refused: meter.counter(`${name}_refused_${items}`, labels, {
        description: `Number of ${words} that were refused because too much memory was in use.`,
        unit: `{${items}}`,
      }),
    }
  }
  return Object.fromEntries(signals.map((signal) => [signal, of(signal)]))
}
