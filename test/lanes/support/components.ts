import { define } from '../../../src/component/define.ts'
import { ack, deliver, nack } from '../../../src/component/delivery.ts'
import type { ComponentLists } from '../../../src/component/registry.ts'
import { field } from '../../../src/config/field.ts'
import { SluiceError } from '../../../src/errors.ts'
import { makeBatch } from '../../../src/otlp/batch.ts'

const traces = { stability: 'development', signals: ['traces'], summary: 'For tests of lanes.' } as const

/** Brings in one batch of `items` at its start, and with `busy` ten in every turn of the event loop; `crash_lane` throws in that lane where nobody catches, `refuse_start` cannot start. */
const source = define({
  ...traces,
  kind: 'receiver',
  type: 'source',
  config: {
    items: field.int('Items of the batch.', { default: 10 }),
    crash_lane: field.int('The lane that throws a little later.', { default: -1 }),
    hog_lane: field.int('The lane that takes memory without end.', { default: -1 }),
    refuse_start: field.bool('Fails to start.', { default: false }),
    busy: field.bool('Goes on until it is stopped.', { default: false }),
  },
  create(config, ctx, next) {
    const { items } = config
    const bring = (): void => {
      const batch = makeBatch('traces', [new Uint8Array(items)], items, { arrivedAt: ctx.clock.now() })
      next.traces?.consume(deliver(batch, { settled: () => {} }))
    }
    let busy = config.busy
    const turn = (): void => {
      if (!busy) return
      for (let i = 0; i < 10; i++) bring()
      setImmediate(turn)
    }
    return {
      ready: turn,
      start() {
        if (config.refuse_start) throw new SluiceError('LISTEN_FAILED', 'there is no such place')
        ctx.log.warn('starts')
        ctx.listening({ transport: 'none', address: 'nowhere:1' })
        bring()
        if (config.hog_lane === ctx.lane.index) ctx.clock.setTimeout(takeMemory, 10)
        if (config.crash_lane === ctx.lane.index) {
          ctx.clock.setTimeout(() => {
            throw new Error('lost my mind')
          }, 0)
        }
      },
      stop() {
        busy = false
        ctx.log.warn('stops')
      },
    }
  },
})

function takeMemory(): void {
  for (const all: object[] = []; ; ) all.push(Array.from({ length: 100 }, () => ({})))
}

/** Acks at once, or `slow`, always with a hundred held, or keeps everything until it is stopped and gives it up then, or even then (`stuck`). */
const sink = define({
  ...traces,
  kind: 'exporter',
  type: 'sink',
  config: {
    keep: field.bool('Never acks.', { default: false }),
    slow: field.bool('Acks one when the hundredth after it comes.', { default: false }),
    stuck: field.bool('Nor stops.', { default: false }),
    throw_late: field.bool('Throws where nobody catches, once it has stopped.', { default: false }),
  },
  create(config) {
    const held: Parameters<typeof ack>[0][] = []
    return {
      acknowledges: 'delivered',
      consume(delivery) {
        if (!config.keep && !config.stuck && !config.slow) return ack(delivery)
        held.push(delivery)
        if (config.slow && held.length > 100) ack(held.shift()!)
      },
      async stop() {
        if (config.stuck) await new Promise(() => {})
        if (config.throw_late) {
          setImmediate(() => {
            throw new Error('too late')
          })
        }
        for (const delivery of held.splice(0)) {
          nack(delivery, { verdict: 'stopping', reason: 'stopping', message: 'stopped while holding it' })
        }
      },
    }
  },
})

/** Keeps the number of items that it got, as state, and drops them when it is stopped. */
const hoarder = define({
  ...traces,
  kind: 'processor',
  type: 'hoarder',
  config: { unreadable: field.bool('Takes no state in.', { default: false }) },
  create({ unreadable }, { ledger }) {
    let items = 0
    return {
      acknowledges: 'admitted',
      consume(delivery) {
        items += delivery.batch.items
        ack(delivery)
      },
      exportState() {
        ledger?.given('traces', items)
        const piece = Uint8Array.of(items)
        items = 0
        return [piece]
      },
      importState(piece) {
        if (unreadable) throw new Error('cannot read it')
        ledger?.taken('traces', piece[0]!)
        items += piece[0]!
      },
      stop() {
        ledger?.dropped('traces', 'hoarded', items)
        items = 0
      },
    }
  },
})

const lists: ComponentLists = {
  receivers: [source],
  processors: [hoarder],
  exporters: [sink],
  connectors: [],
  extensions: [],
}

export default lists
