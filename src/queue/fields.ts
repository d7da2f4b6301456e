import type { ConfigProblem } from '../component/define.ts'
import { formatDuration } from '../config/duration.ts'
import { field, type ValueOf } from '../config/field.ts'

const QUEUE_DOC =
  'Holds batches in memory while they wait to be sent, so that senders are answered as soon as there is room.'

/** What a queue of one signal holds in bytes unless it is told otherwise: 1000 large requests would be gigabytes. */
export const DEFAULT_QUEUE_BYTES = 256 * 1024 * 1024

const batchFields = {
  enabled: field.bool('Off: as if `batch` were left out.', { default: true }),
  flush_timeout: field.duration('Sends what is held after this long, however little it is.', {
    default: '200ms',
    // More than nothing, as in the Collector.
    min: 1e-6,
  }),
  min_size: field.int('Sends as soon as this much is held.', { default: 8192, min: 0 }),
  max_size: field.int('Splits what would be larger; 0 is no limit.', { default: 0, min: 0 }),
  sizer: field.enum(
    'What the sizes count: items (spans, data points, …) or bytes. Left out: what the queue counts, where it counts one of them, else items.',
    ['items', 'bytes'],
  ),
  partition: field.object(
    'What must not be joined.',
    {
      metadata_keys: field.list(
        'Joins only batches whose client metadata has the same values of these keys, and hands those values on.',
        field.string('A header or gRPC metadata name, in any case.'),
        { default: [] },
      ),
    },
    { default: {} },
  ),
}

const queueFields = {
  enabled: field.bool(
    'Off: the sender waits until its data has been sent, and the other keys of this section mean nothing.',
    {
      default: true,
    },
  ),
  num_consumers: field.int('How many requests of one signal are being sent or wait for their next attempt at a time.', {
    default: 10,
    min: 1,
  }),
  queue_size: field.int('The most that is held of one signal, batches being sent included; `sizer` says in what.', {
    default: 1000,
    min: 1,
  }),
  queue_size_bytes: field.int(
    'The most bytes that are held of one signal, whatever `queue_size` allows; 0 is no limit. Left out: 268435456 (256 MiB), and no limit with `sizer: bytes`.',
    { min: 0, own: true },
  ),
  sizer: field.enum(
    'What `queue_size` counts: batches, their items (spans, data points, …) or their bytes.',
    ['requests', 'items', 'bytes'],
    { default: 'requests' },
  ),
  block_on_overflow: field.bool(
    'Senders wait for room, until they give up or the stop, in the order in which they came; off, a full queue tells them to come again.',
    { default: false },
  ),
  wait_for_result: field.bool('Senders are answered when their data has been sent, not when there is room for it.', {
    default: false,
  }),
  batch: field.object(
    'Joins what is queued, so that requests are fewer and larger; `batch: {}` does with the defaults.',
    batchFields,
  ),
  storage: field.unsupported('Keeps the queue on disk.', 'queues are in memory in this version'),
}

/** `sending_queue`, as every exporter of the Collector has it that sends over a network. */
export const sendingQueueField = field.object(QUEUE_DOC, queueFields, { default: {} })

/** `sending_queue` of an exporter that has none unless it is asked for. */
export const optionalQueueField = field.object(QUEUE_DOC, queueFields)

/** `max_request_size`, for exporters whose peers refuse requests for their size. `limit` in bytes; 0: none is known. */
export function maxRequestSizeField(limit: number) {
  return field.int(
    'The most bytes of one request, before compression: larger batches are sent in parts; 0 is no limit. Once the peer refuses a request for its size, less is sent.',
    { default: limit, min: 0, own: true },
  )
}

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
export type QueueBatchConfig = NonNullable<QueueConfig['batch']>
export type RetryConfig = ValueOf<typeof retryField>

/** For exporters without a queue: every batch is sent as it comes while its sender waits. */
export const NO_QUEUE: QueueConfig = {
  enabled: false,
  num_consumers: 1,
  queue_size: 1,
  queue_size_bytes: 0,
  sizer: 'requests',
  block_on_overflow: false,
  wait_for_result: false,
  batch: undefined,
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
export function deliveryProblems(config: {
  readonly retry_on_failure?: RetryConfig
  readonly sending_queue?: QueueConfig | undefined
}): ConfigProblem[] {
  const { retry_on_failure: retry, sending_queue: queue } = config
  return [...(retry === undefined ? [] : retryProblems(retry)), ...(queue === undefined ? [] : queueProblems(queue))]
}

function retryProblems(retry: RetryConfig): ConfigProblem[] {
  if (retry.max_elapsed_time === 0) return []
  return (['initial_interval', 'max_interval'] as const)
    .filter((key) => retry.max_elapsed_time < retry[key])
    .map((key) => ({
      path: ['retry_on_failure', 'max_elapsed_time'],
      message: `expected 0 (for ever) or at least ${key} (${formatDuration(retry[key])}), got ${formatDuration(retry.max_elapsed_time)}`,
    }))
}

function queueProblems(queue: QueueConfig): ConfigProblem[] {
  const { batch } = queue
  if (!queue.enabled || batch === undefined || !batch.enabled) return []
  const problems: ConfigProblem[] = []
  const { min_size: min, max_size: max } = batch
  if (max > 0 && max < min) {
    problems.push({
      path: ['sending_queue', 'batch', 'max_size'],
      message: `expected 0 (no limit) or at least min_size (${min}), got ${max}`,
    })
  }
  const sizer = batchSizer(queue, batch)
  if (sizer === queue.sizer && min > queue.queue_size) {
    problems.push({
      path: ['sending_queue', 'batch', 'min_size'],
      message: `expected at most queue_size (${queue.queue_size} ${sizer}), got ${min}: the queue would be full before a batch is; lower it, or raise queue_size`,
    })
  }
  const seen = new Set<string>()
  for (const [i, key] of batch.partition.metadata_keys.entries()) {
    if (seen.has(key.toLowerCase())) {
      problems.push({
        path: ['sending_queue', 'batch', 'partition', 'metadata_keys', i],
        message: `expected every key once, whatever its case, got "${key}" again; remove it`,
      })
    }
    seen.add(key.toLowerCase())
  }
  return problems
}

/** What `batch` counts: what it says, else what the queue counts, where that is not requests. */
export function batchSizer(queue: QueueConfig, batch: QueueBatchConfig): 'items' | 'bytes' {
  return batch.sizer ?? (queue.sizer === 'requests' ? 'items' : queue.sizer)
}
