import builtIn from '../../../src/cli/components.ts'
import { define } from '../../../src/component/define.ts'
import { ack, deliver } from '../../../src/component/delivery.ts'
import type { ComponentLists } from '../../../src/component/registry.ts'
import { field } from '../../../src/config/field.ts'
import { makeBatch } from '../../../src/otlp/batch.ts'
import type { Collected, Part } from './lane-exam.ts'

const described = {
  stability: 'development',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  summary: 'For the exam of lanes.',
} as const

/** Brings in its lane's share of the batches: every lane has another, together they have all. */
const share = define({
  ...described,
  kind: 'receiver',
  type: 'share',
  config: { parts: field.any('`Part[]`.') },
  create: ({ parts }, { lane }, next) => ({
    ready() {
      for (const [i, { signal, items, base64 }] of (parts as readonly Part[]).entries()) {
        if (i % lane.count !== lane.index) continue
        const batch = makeBatch(signal, [Buffer.from(base64, 'base64')], items, { arrivedAt: 1, transport: 'test' })
        next[signal]?.consume(deliver(batch, { settled() {} }))
      }
    },
  }),
})

/** Shows the test what reaches it, and acks. */
const collected = define({
  ...described,
  kind: 'exporter',
  type: 'collected',
  config: { channel: field.string('Name of a BroadcastChannel.', { required: true }) },
  create({ channel }, { id }) {
    const test = new BroadcastChannel(channel)
    return {
      acknowledges: 'delivered',
      consume(delivery) {
        const { signal, chunks } = delivery.batch
        test.postMessage({ id, signal, chunks: chunks.map((chunk) => chunk.slice()) } satisfies Collected)
        ack(delivery)
      },
      stop: () => test.close(),
    }
  },
})

const lists: ComponentLists = {
  ...builtIn,
  receivers: [...builtIn.receivers, share],
  exporters: [...builtIn.exporters, collected],
}

export default lists
