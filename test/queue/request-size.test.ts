// No request is larger than the next hop takes, as far as that is known, and what has arrived is not sent again. What this
// does not show: that the exporters tell an answer about size from others (their own tests do).
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { arenas } from '../../src/otlp/arena.ts'
import type { SendResult } from '../../src/queue/send.ts'
import { writeProtobufjs } from '../otlp/support/oracles.ts'
import { settled } from '../support/fake-clock.ts'
import { OK, REJECTED, rig, spansOf, traces, UNREACHABLE } from './support.ts'

const TOO_LARGE: SendResult = {
  ok: false,
  verdict: 'reject',
  reason: 'rejected',
  message: 'the peer takes less',
  grpcStatus: 8,
  tooLarge: true,
}

/** A span of that name length: tag and length of the span and of its name. */
const span = (length: number): number => length + 2 + (length < 126 ? 2 : 3) + (length < 128 ? 0 : 1)

beforeEach(() => {
  arenas.poison = true
})
afterEach(() => {
  arenas.poison = false
})

describe('max request bytes', () => {
  it('cuts what is larger, sends the parts as consumers allow, and settles with the worst of them', async () => {
    const { peer, give, ctx } = rig({ num_consumers: 2 }, {}, { maxRequestBytes: 250 })
    const one = spansOf(100)
    const whole = traces(spansOf(100, 100, 100, 100, 100))
    expect([whole.byteLength > 2 * 250, one.byteLength <= 250]).toEqual([true, true])
    const { events, outcome } = ((tracked) => tracked)(give(whole))
    expect(events).toEqual(['admitted'])
    // Two spans a request fit, three do not; two consumers.
    expect(peer.attempts.map(({ batch }) => [batch.items, batch.byteLength <= 250])).toEqual([
      [2, true],
      [2, true],
    ])
    peer.attempts[0]!.end(OK)
    await settled()
    expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([2, 2, 1])
    peer.attempts[1]!.end({ ok: true, rejected: 1, message: 'too old' })
    peer.attempts[2]!.end(OK)
    await settled()
    expect(outcome).toBeUndefined()
    expect(events).toEqual(['admitted', 'ok:1'])
    expect(ctx.meter.total('otelcol_exporter_sent_spans')).toBe(4)
    expect(ctx.meter.total('otelcol_exporter_send_failed_spans')).toBe(1)
    expect(ctx.meter.total('sluice_exporter_cut_requests')).toBe(1)
    expect(ctx.meter.total('otelcol_exporter_queue_size')).toBe(0)
  })

  it('regroups whole chunks without writing them anew', () => {
    const { peer, give } = rig({}, {}, { maxRequestBytes: 250 })
    const chunks = [spansOf(100), spansOf(100), spansOf(100)]
    give(traces(...chunks))
    expect(peer.attempts.map(({ batch }) => batch.chunks)).toEqual([[chunks[0], chunks[1]], [chunks[2]]])
    expect(peer.attempts[1]!.batch.chunks[0]).toBe(chunks[2])
  })

  it('retries the part that failed and no other', async () => {
    const { peer, give, ctx } = rig({}, {}, { maxRequestBytes: 150 })
    peer.answers = (attempt) => (attempt === 2 ? UNREACHABLE : OK)
    const { events } = give(traces(spansOf(90, 100, 110)))
    await ctx.clock.advance(5000)
    expect(events).toEqual(['admitted', 'ok'])
    const sizes = peer.attempts.map(({ batch }) => batch.byteLength)
    expect(sizes).toEqual([spansOf(90), spansOf(100), spansOf(110), spansOf(100)].map((bytes) => bytes.byteLength))
  })

  it('sends one record that is larger alone, and the peer says what becomes of it', async () => {
    const { peer, give } = rig({}, {}, { maxRequestBytes: 250 })
    peer.answers = (attempt) => (peer.attempts[attempt - 1]!.batch.byteLength > 250 ? REJECTED : OK)
    const { events } = give(traces(spansOf(100, 1000, 100)))
    await settled()
    expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([1, 1, 1])
    expect(events).toEqual(['admitted', 'ok:1'])
  })

  it('frees what it wrote for the parts', async () => {
    const { peer, give } = rig({}, {}, { maxRequestBytes: 6000 })
    const before = arenas.held
    give(traces(spansOf(5000, 5000, 5000)))
    expect(arenas.held - before).toBe(3)
    for (const { end, options } of peer.attempts) {
      options.release()
      end(OK)
    }
    await settled()
    expect(arenas.held - before).toBe(0)
  })
})

describe('a peer that refuses for size', () => {
  it('gets halves of what it refused, and nothing that it took twice', async () => {
    const { peer, give, ctx, said } = rig()
    // 1000 spans of 107 bytes; the peer takes 40,000 bytes.
    peer.answers = (attempt) => (peer.attempts[attempt - 1]!.batch.byteLength > 40_000 ? TOO_LARGE : OK)
    const { events } = give(traces(spansOf(...Array<number>(1000).fill(100))))
    await settled()
    await settled()
    expect(events).toEqual(['admitted', 'ok'])
    expect(span(100)).toBe(104)
    const taken = peer.attempts.filter(({ batch }) => batch.byteLength <= 40_000)
    expect(taken.reduce((sum, { batch }) => sum + batch.items, 0)).toBe(1000)
    expect(ctx.meter.total('otelcol_exporter_sent_spans')).toBe(1000)
    expect(ctx.meter.total('otelcol_exporter_send_failed_spans')).toBe(0)
    // 104 kB; in halves it does not go with what each repeats, so three of about the same size.
    expect(peer.attempts.map(({ batch }) => Math.round(batch.byteLength / 1000))).toEqual([104, 36, 36, 31])
    expect(said()).toEqual([
      `warn the peer refused 1 request for its size: the peer takes less; sends at most ${Math.floor(peer.attempts[0]!.batch.byteLength / 2)} bytes at a time for now  (EXPORT_TOO_LARGE)`,
    ])
    // The next one is cut at once.
    give(traces(spansOf(...Array<number>(500).fill(100))))
    await settled()
    expect(peer.attempts.slice(4).map(({ batch }) => batch.byteLength <= 40_000)).toEqual([true, true])
  })

  it('loses the one record that cannot be cut, and not its neighbours', async () => {
    const { peer, give, ctx } = rig()
    peer.answers = (attempt) => (peer.attempts[attempt - 1]!.batch.byteLength > 6000 ? TOO_LARGE : OK)
    const { events, outcome } = await (async () => {
      const tracked = give(traces(spansOf(...Array<number>(50).fill(100), 10_000, ...Array<number>(50).fill(100))))
      for (let i = 0; i < 6; i++) await settled()
      return tracked
    })()
    expect(events).toEqual(['admitted', 'ok:1'])
    expect(outcome).toEqual({
      ok: true,
      rejected: 1,
      message: 'exporter otlp/eu: the peer takes less; it cannot be cut any smaller',
      books: { rejected_too_large: 1 },
    })
    expect(ctx.meter.total('otelcol_exporter_sent_spans')).toBe(100)
    expect(ctx.meter.total('otelcol_exporter_send_failed_spans')).toBe(1)
  })

  it('also where it may be tried again, and where retries are off', async () => {
    for (const verdict of ['retry', 'reject'] as const) {
      const { peer, give } = rig({}, { enabled: false })
      peer.answers = (attempt) => (attempt === 1 ? { ...TOO_LARGE, verdict } : OK)
      const { events } = give(traces(spansOf(100, 100)))
      await settled()
      expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([2, 1, 1])
      expect(events).toEqual(['admitted', 'ok'])
    }
  })
})

describe('a batch whose resource is most of it', () => {
  /** `records` short spans of a resource whose one attribute is that long. */
  const heavy = (resource: number, records: number) =>
    traces(
      writeProtobufjs('traces', {
        resourceSpans: [
          {
            resource: { attributes: [{ key: 'k', value: { stringValue: 'x'.repeat(resource) } }] },
            scopeSpans: [{ spans: Array.from({ length: records }, (_, i) => ({ name: `${i}`.padEnd(20) })) }],
          },
        ],
      }),
    )

  it('is not blown up to fit: it goes whole, and the peer says what becomes of it', async () => {
    const { peer, give } = rig({}, {}, { maxRequestBytes: 60_000 })
    const whole = heavy(400_000, 1000)
    const before = arenas.held
    const { events } = give(whole)
    expect(peer.attempts.map(({ batch }) => batch.chunks)).toEqual([whole.chunks])
    expect(arenas.held).toBe(before)
    peer.attempts[0]!.end(TOO_LARGE)
    await settled()
    expect(peer.attempts.length).toBe(1)
    expect(events).toEqual(['admitted', 'reject:rejected_too_large'])
  })

  it('is cut in two as often as the peer asks for it', async () => {
    const { peer, give, ctx } = rig()
    // 5 kB of resource and 200 spans of 24 bytes, of which 60 fit: less than half of it is nothing but resource.
    peer.answers = (attempt) => (peer.attempts[attempt - 1]!.batch.items > 60 ? TOO_LARGE : OK)
    const { events } = give(heavy(5000, 200))
    for (let i = 0; i < 10; i++) await settled()
    expect(events).toEqual(['admitted', 'ok'])
    expect(ctx.meter.total('otelcol_exporter_sent_spans')).toBe(200)
    expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([200, 100, 100, 50, 50, 50, 50])
  })
})
