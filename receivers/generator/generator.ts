import { define } from '../../src/component/define.ts'
import { field } from '../../src/config/field.ts'

const rate = (what: string, perSecond: number) =>
  field.object(
    `The ${what} it makes.`,
    {
      rate: field.number(`How many ${what} a second; 0 makes none.`, { default: perSecond, min: 0, max: 10_000_000 }),
    },
    { default: {} },
  )

export default define({
  kind: 'receiver',
  place: 'first',
  type: 'generator',
  stability: 'beta',
  signals: ['traces', 'metrics', 'logs'],
  summary: 'Makes the telemetry of a small web shop that does not exist, for first steps, demonstrations and load.',
  config: {
    traces: rate('spans', 20),
    metrics: rate('data points', 10),
    logs: rate('log records', 10),
    seed: field.int('The same seed makes the same shop, visits and values. Without one every start differs.', {
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
    }),
    total: field.int('Stops after this many items of each signal, and stays quiet. Without it, it never stops.', {
      min: 1,
    }),
    batch_size: field.int('The most items in one request.', { default: 1000, min: 1, max: 100_000 }),
    error_ratio: field.number('Share of visits to the shop that fail somewhere.', { default: 0.05, min: 0, max: 1 }),
    pii_ratio: field.number(
      'Share of visits that leave personal data where it does not belong: mail addresses, card and phone numbers, names, in attributes, queries and log bodies.',
      { default: 0.1, min: 0, max: 1 },
    ),
  },
  async create(config, ctx, next) {
    const { Generator } = await import('./receiver.ts')
    return new Generator(
      {
        rates: { traces: config.traces.rate, metrics: config.metrics.rate, logs: config.logs.rate },
        seed: config.seed ?? ctx.clock.now(),
        total: config.total ?? Number.POSITIVE_INFINITY,
        batchSize: config.batch_size,
        errorRatio: config.error_ratio,
        piiRatio: config.pii_ratio,
      },
      ctx,
      next,
    )
  },
})
