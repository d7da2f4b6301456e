import { setTimeout as sleep } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import { onTestFinished } from 'vitest'
import { Mesh } from '../../../src/lanes/mesh.ts'
import { meshNamesakes } from '../../../src/lanes/mesh-namesakes.ts'
import type { Signal } from '../../../src/otlp/batch.ts'
import { bookInTransit, bookLost, type LedgerRow, ledgerRows, PipelineLedger } from '../../../src/telemetry/ledger.ts'
import { MeterRegistry } from '../../../src/telemetry/registry.ts'
import { SharedMeter } from '../../../src/telemetry/shared-meter.ts'
import { type TestContext, testContext } from '../../support/context.ts'
import { FakeClock } from '../../support/fake-clock.ts'

/** Lanes in this thread, joined as threads are, each with a context for the same processor of one pipeline. */
export interface MeshLanes {
  readonly clock: FakeClock
  readonly contexts: readonly TestContext[]
  readonly ledgers: readonly PipelineLedger[]
  readonly meshes: readonly Mesh[]
  /** Of all lanes together. */
  readonly books: () => LedgerRow
  /** A lane ends, and its books are closed. */
  readonly lose: (lane: number) => void
  /** No lane runs any more: what was between two of them is lost. */
  readonly end: () => void
  /** Lets everything that is between two lanes arrive. */
  readonly quiet: () => Promise<void>
}

export function meshLanes(count: number, signal: Signal, id = 'sketch'): MeshLanes {
  const clock = new FakeClock()
  const registry = new MeterRegistry()
  const meshes = Array.from({ length: count }, (_, lane) => new Mesh({ lane, lanes: count, clock }))
  onTestFinished(() => {
    for (const mesh of meshes) mesh.close()
  })
  const memories = meshes.map(() => SharedMeter.memory())
  const own = SharedMeter.memory()
  const meter = new SharedMeter(own, registry.attach(own))
  const ledgers = memories.map((memory) => {
    return new PipelineLedger(new SharedMeter(memory, registry.attach(memory)), signal)
  })
  const contexts = meshes.map((mesh, lane) => {
    const books = ledgers[lane]!
    const scope = { kind: 'processor', id, signals: [signal], pipeline: signal, books } as const
    return testContext({
      clock,
      id,
      lane: { index: lane, count },
      namesakes: meshNamesakes(mesh, { ...scope, extension: () => undefined }),
      ledger: {
        failed: (_, reason, items) => books.failed(reason, items),
        dropped: (_, reason, items) => books.dropped(id, reason, items),
        folded: (_, items) => books.folded(id, items),
        made: (_, items) => books.accepted(items),
        given: (_, items) => books.given(items),
        taken: (_, items) => books.taken(items),
      },
    })
  })
  for (let one = 0; one < count; one++) {
    for (let other = 0; other < one; other++) {
      const { port1, port2 } = new MessageChannel()
      meshes[one]!.connect(other, port1)
      meshes[other]!.connect(one, port2)
    }
  }
  return {
    clock,
    contexts,
    ledgers,
    meshes,
    books: () => ledgerRows(registry.read())[0]!,
    lose(lane) {
      meshes[lane]!.close()
      bookLost(meter, registry.retire(memories[lane]!))
    },
    end: () => void bookInTransit(meter, registry.read()),
    async quiet() {
      for (let turn = 0; turn < 5; turn++) await sleep(1)
    },
  }
}
