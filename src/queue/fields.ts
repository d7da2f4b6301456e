import type { ConfigProblem } from '../component/define.ts'
import { formatDuration } from '../config/duration.ts'
import { field, type ValueOf } from '../config/field.ts'

const QUEUE_DOC =
  'Holds batches in memory while they wait to be sent, so that senders are answered as soon as there is room.'

const queueFields = {
  enabled: field.bool('Off: the sender waits until its data has been sent.', { default: true }),
  num_consumers: field.int('How many batches of one signal are being sent or wait for their next attempt at a time.', {
    default: 10,
    min: 1,
  }),
  queue_size: field.int('The most that is held of one signal, batches being sent included; `sizer` says in what.', {
    default: 1000,
    min: 1,
  }),
  sizer: field.enum(
    'What `queue_size` counts: batches, their items (spans, data points, …) or their bytes.',
    ['requests', 'items', 'bytes'],
    { default: 'requests' },
  ),
  wait_for_result: field.bool('Senders are answered when their data has been sent, not when there is room for it.', {
    default: false,
  }),
  block_on_overflow: field.unsupported(
    'Holds senders back while the queue is full.',
    'a full queue refuses at once, so that the sender, which still has the data, waits and comes again',
  ),
  storage: field.unsupported('Keeps the queue on disk.', 'queues are in memory in this version'),
  batch: field.unsupported('Joins batches in the queue.', 'use the batch processor, whose outcome reaches the sender'),
}

/** `sending_queue`, as every exporter of the Collector has it that sends over a network. */
export const sendingQueueField = field.object(QUEUE_DOC, queueFields, { default: {} })

/** `sending_queue` of an exporter that has none unless it is asked for. */
export const optionalQueueField = field.object(QUEUE_DOC, queueFields)

/** `retry_on_failure`, as every exporter of the Collector has it. */
export const retryField = field.object(
  'What happens to a batch that the peer did not take but may take later.',
  {
    enabled: field.bool('Off: one attempt.', { default: true }),
    initial_interval: field.duration('Wait before the second attempt.', { default: '5s', min: 0 }),
    randomization_factor: field.number('Each wait is up to this share of itself shorter or longer.', {
      default: 0.5,
      min: 0,
      max: 1,
    }),
    multiplier: field.number('Each wait is this many times the one before.', { default: 1.5, min: 0 }),
    max_interval: field.duration('Waits grow no longer than this.', { default: '30s', min: 0 }),
    max_elapsed_time: field.duration('Gives up when the next attempt would come later than this; 0 never gives up.', {
      default: '300s',
      min: 0,
    }),
  },
  { default: {} },
)

export type QueueConfig = ValueOf<typeof sendingQueueField>
export type RetryConfig = ValueOf<typeof retryField>

/** For exporters without a queue: every batch is sent as it comes while its sender waits. */
export const NO_QUEUE: QueueConfig = {
  enabled: false,
  num_consumers: 1,
  queue_size: 1,
  sizer: 'requests',
  wait_for_result: false,
}

/** For exporters that try once. */
export const NO_RETRY: RetryConfig = {
  enabled: false,
  initial_interval: 0,
  randomization_factor: 0,
  multiplier: 1,
  max_interval: 0,
  max_elapsed_time: 0,
}

/** The cross-field rules of both groups, for an exporter's `check`. */
export function deliveryProblems(config: { readonly retry_on_failure: RetryConfig }): ConfigProblem[] {
  const retry = config.retry_on_failure
  if (retry.max_elapsed_time === 0) return []
  return (['initial_interval', 'max_interval'] as const)
    .filter((key) => retry.max_elapsed_time < retry[key])
    .map((key) => ({
      path: ['retry_on_failure', 'max_elapsed_time'],
      message: `expected 0 (for ever) or at least ${key} (${formatDuration(retry[key])}), got ${formatDuration(retry.max_elapsed_time)}`,
    }))
}
