import type { Consumer } from '../component/delivery.ts'
import type { GraphEnvironment } from '../graph/graph.ts'
import type { Counter, Meter } from '../telemetry/meter.ts'
import type { Mesh } from './mesh.ts'
import type { Spreader } from './spreader.ts'

export function givenBatches(meter: Meter): Counter {
  return meter.counter(
    'sluice_lane_given_batches',
    {},
    { description: 'Batches that a lane handed over to others, which had less to do.', unit: '{batches}' },
  )
}

/**
 * Entrances of pipelines for what this lane receives: a batch that another lane should work on goes into the pipeline there. Neither lane's
 * books have a batch on its way: it is accepted where it enters.
 */
export function spreadEntrances(
  mesh: Mesh,
  spreader: Pick<Spreader, 'laneFor' | 'share' | 'wake' | 'worked'>,
  meter: Meter,
): NonNullable<GraphEnvironment['entrance']> {
  const given = givenBatches(meter)
  return (pipeline, head, sole) => {
    const { acknowledges } = head
    const address = `pipeline ${pipeline}`
    const arrive: Consumer = {
      acknowledges,
      consume(delivery) {
        spreader.wake()
        head.consume(delivery)
      },
    }
    mesh.enter(address, { consumer: arrive })
    return {
      acknowledges,
      // Of this lane's own queues: it gives away only while it has more to do than others, which a full queue keeps it from.
      refusing: head.refusing,
      consume(delivery) {
        const lane = spreader.laneFor(delivery.batch)
        if (lane !== mesh.lane) {
          given.add(1)
          mesh.give(lane, address, delivery, sole)
        } else if (spreader.share > 0) {
          const started = performance.now()
          head.consume(delivery)
          spreader.worked(performance.now() - started)
        } else head.consume(delivery)
      },
    }
  }
}
