/** The built-in components, and two that need no sockets: what `replay.ts` runs in lanes. */
import { gzipSync } from 'node:zlib'
import builtIn from '../../src/cli/components.ts'
import { define } from '../../src/component/define.ts'
import { ack, deliver } from '../../src/component/delivery.ts'
import type { ComponentLists } from '../../src/component/registry.ts'
import { field } from '../../src/config/field.ts'
import { arenas } from '../../src/otlp/arena.ts'
import { makeBatch } from '../../src/otlp/batch.ts'
import { validate } from '../../src/otlp/validate.ts'
import { decompress } from '../../src/transport/compression.ts'
import { traceRequest } from '../payload/traces.ts'

const BODIES = 16
const LIMIT = 64 << 20

/** Brings in the same compressed requests again and again, one in each turn of the event loop, as a receiver would that has just read them. */
const replay = define({
  kind: 'receiver',
  type: 'replay',
  stability: 'development',
  signals: ['traces'],
  summary: 'For benches of lanes.',
  config: {
    items: field.int('Spans of a request.', { default: 1000, min: 1 }),
    item_bytes: field.int('Bytes of a span.', { default: 812, min: 1 }),
  },
  create({ items, item_bytes: itemBytes }, ctx, next) {
    const bodies = Array.from({ length: BODIES }, (_, i) =>
      gzipSync(traceRequest({ items, itemBytes, seed: i + 1, full: true }), { level: 1 }),
    )
    let turns = 0
    let running = false
    const turn = (): void => {
      if (!running) return
      const body = decompress('gzip', bodies[turns++ % BODIES]!, { limit: LIMIT })
      const batch = makeBatch('traces', [body], validate('traces', body), { arrivedAt: ctx.clock.now() })
      next.traces?.consume(deliver(batch, { settled: () => arenas.release(body) }))
      setImmediate(turn)
    }
    return {
      start() {
        running = true
        setImmediate(turn)
      },
      stop() {
        running = false
      },
    }
  },
})

/** Compresses what comes, in the lane itself, and is done with it. */
const squeeze = define({
  kind: 'exporter',
  type: 'squeeze',
  stability: 'development',
  signals: ['traces'],
  summary: 'For benches of lanes.',
  config: {},
  create() {
    return {
      acknowledges: 'delivered',
      consume(delivery) {
        for (const chunk of delivery.batch.chunks) gzipSync(chunk, { level: 1 })
        ack(delivery)
      },
    }
  },
})

const lists: ComponentLists = {
  ...builtIn,
  receivers: [...builtIn.receivers, replay],
  exporters: [...builtIn.exporters, squeeze],
}

export default lists
