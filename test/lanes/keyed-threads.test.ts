// Keyed state over real threads that die at any moment. What this does not show: that the supervisor starts lanes anew and closes
// their books (supervisor.test.ts); here the test does both by the same functions.
import { setTimeout as sleep } from 'node:timers/promises'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { expect, onTestFinished, test } from 'vitest'
import { laneRing } from '../../src/component/ring.ts'
import { hashBytes } from '../../src/otlp/hash.ts'
import { bookInTransit, bookLost, ledgerRows, total } from '../../src/telemetry/ledger.ts'
import { MeterRegistry } from '../../src/telemetry/registry.ts'
import { SharedMeter } from '../../src/telemetry/shared-meter.ts'
import { Random } from '../otlp/support/random.ts'
import type { Report } from './support/keyed-lane.ts'
import type { Mark } from './support/marked-spans.ts'

const TRACES = 50

interface Lane {
  readonly worker: Worker
  readonly meter: SharedArrayBuffer
  readonly reports: MessagePort
  /** Batches that its processor got from others. */
  fromOthers: number
  quiet: (Report & { readonly type: 'quiet' }) | undefined
}

class Lanes {
  readonly registry = new MeterRegistry()
  readonly lanes: (Lane | undefined)[]
  /** What processors got, lane by lane, in the order in which they said so. */
  readonly got: { readonly lane: number; readonly generation: number; readonly mark: Mark }[] = []
  /** How the spans of each source ended, by `lane:number`. */
  readonly ended = new Map<string, string>()
  readonly #own = SharedMeter.memory()
  readonly #meter = new SharedMeter(this.#own, this.registry.attach(this.#own))
  readonly #announce = new Map<SharedArrayBuffer, ReturnType<MeterRegistry['attach']>>()
  generation = 0

  constructor(count: number) {
    this.lanes = Array<Lane | undefined>(count).fill(undefined)
  }

  start(index: number): void {
    const generation = this.generation++
    const meter = SharedMeter.memory()
    const announce = this.registry.attach(meter)
    this.#announce.set(meter, announce)
    const { port1, port2 } = new MessageChannel()
    const worker = new Worker(new URL('./support/keyed-lane.ts', import.meta.url), {
      workerData: {
        lane: index,
        lanes: this.lanes.length,
        seed: generation + 1,
        first: generation * 1_000_000,
        meter,
        traces: TRACES,
        reports: port2,
      },
      transferList: [port2],
    })
    const lane: Lane = { worker, meter, reports: port1, fromOthers: 0, quiet: undefined }
    worker.on('error', (error) => {
      throw error
    })
    port1.on('message', (report: Report) => {
      if (report.type === 'series') announce(report.series)
      else if (report.type === 'got') {
        if (report.marks[0]!.lane !== index) lane.fromOthers++
        for (const mark of report.marks) this.got.push({ lane: index, generation, mark })
      } else if (report.type === 'ended') {
        for (const number of report.numbers) {
          const name = `${index}:${number}`
          if (this.ended.has(name)) throw new Error(`${name} ended twice`)
          this.ended.set(name, report.how)
        }
      } else if (report.type === 'quiet') lane.quiet = report
    })
    for (const [other, peer] of this.lanes.entries()) {
      if (peer === undefined || other === index) continue
      const way = new MessageChannel()
      worker.postMessage({ type: 'peer', lane: other, port: way.port1 }, [way.port1])
      peer.worker.postMessage({ type: 'peer', lane: index, port: way.port2 }, [way.port2])
    }
    this.lanes[index] = lane
  }

  /** Resolves once a lane has had so many batches of others. */
  async busy(index: number, batches: number): Promise<void> {
    while (this.lanes[index]!.fromOthers < batches) await sleep(1)
  }

  /** Ends a lane's thread as the supervisor sees a lane end, books closed. */
  async kill(index: number): Promise<void> {
    const lane = this.lanes[index]!
    this.lanes[index] = undefined
    const closed = new Promise((resolve) => lane.reports.once('close', resolve))
    await lane.worker.terminate()
    await closed
    bookLost(this.#meter, this.registry.retire(lane.meter))
  }

  async stop(): Promise<void> {
    for (const lane of this.lanes) lane?.worker.postMessage({ type: 'stop' })
    await expect.poll(() => this.lanes.every((lane) => lane?.quiet !== undefined), { timeout: 20_000 }).toBe(true)
  }

  /** What nobody has who still runs: between two lanes that were ended one right after the other. */
  bookInTransit(): void {
    bookInTransit(this.#meter, this.registry.read())
  }

  async end(): Promise<void> {
    for (const lane of this.lanes) await lane?.worker.terminate()
  }
}

function ownerOf(trace: number, lanes: number): number {
  const id = Buffer.alloc(16, 1)
  id.writeUInt32BE(trace, 12)
  return laneRing(lanes).ownerOf(hashBytes(id, 0, 16))
}

test.each([2, 4])(
  '%d lanes, each killed now and then: nothing is lost or doubled in silence, and keys keep their order',
  async (count) => {
    const random = new Random(count)
    const lanes = new Lanes(count)
    onTestFinished(() => lanes.end())
    for (let index = 0; index < count; index++) lanes.start(index)
    for (let deaths = 0; deaths < 5; deaths++) {
      const victim = random.below(count)
      await lanes.busy(victim, 20)
      await sleep(random.below(20))
      await lanes.kill(victim)
      lanes.start(victim)
    }
    for (let index = 0; index < count; index++) await lanes.busy(index, 50)
    await lanes.stop()

    const owners = Array.from({ length: TRACES }, (_, trace) => ownerOf(trace, count))
    const seen = new Set<string>()
    const latest = new Map<string, number>()
    let handedOver = 0
    for (const { lane, generation, mark } of lanes.got) {
      expect(lane).toBe(owners[mark.trace])
      if (mark.lane !== lane) handedOver++
      const name = `${mark.lane}:${mark.number}`
      // Not even what a lane had begun with when it died comes again: whoever brought it in is told, and would send it.
      if (seen.has(name)) throw new Error(`${name} came twice`)
      seen.add(name)
      const order = `${mark.lane} → ${generation}: ${mark.trace}`
      expect(mark.number).toBeGreaterThan(latest.get(order) ?? -1)
      latest.set(order, mark.number)
    }
    expect(handedOver).toBeGreaterThan(1000)
    const hows = new Map<string, number>()
    for (const [name, how] of lanes.ended) {
      hows.set(how, (hows.get(how) ?? 0) + 1)
      // What was acknowledged has been there.
      if (how === 'ok' && !seen.has(name)) throw new Error(`${name} was acknowledged and never came`)
    }
    expect(hows.get('ok')).toBeGreaterThan(1000)
    expect(hows.get('lane_lost')).toBeGreaterThan(0)
    expect([...hows.keys()].filter((how) => !['ok', 'lane_lost', 'unreachable', 'lane_busy'].includes(how))).toEqual([])

    // Each item ended once, whatever it was between when a lane died.
    lanes.bookInTransit()
    const [row] = ledgerRows(lanes.registry.read())
    expect({ held: row!.held, ended: row!.sent + total(row!.failed) }).toEqual({ held: 0, ended: row!.accepted })
    expect(row!.failed.lane_lost).toBeGreaterThan(0)
    for (const lane of lanes.lanes) expect([lane!.quiet!.unsettled, lane!.quiet!.held]).toEqual([0, 0])
  },
  60_000,
)
