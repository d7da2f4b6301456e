import { laneName } from '../lanes/protocol.ts'
import type { Meter } from '../telemetry/meter.ts'
import type { Reading } from '../telemetry/registry.ts'

/** What is told of lanes from outside. */
export interface LaneInstruments {
  running(lanes: number): void
  /** The lane of that name was lost and another takes its place. */
  replaced(lane: string): void
}

/** How the clients are spread over the lanes. */
export function connectionReadings(connections: ReadonlyMap<number, number>): Reading[] {
  return [...connections].map(([lane, value]) => ({
    kind: 'gauge',
    name: 'sluice_lane_connections',
    labels: { lane: laneName(lane) },
    description: 'Open connections at ports that lanes share.',
    unit: '{connections}',
    value,
  }))
}

export function laneInstruments(meter: Meter): LaneInstruments {
  const lanes = meter.gauge(
    'sluice_lanes',
    {},
    { description: 'Worker threads that hold pipelines and have started.', unit: '{threads}' },
  )
  return {
    running: (count) => lanes.set(count),
    replaced(lane) {
      meter
        .counter(
          'sluice_lane_restarts',
          { lane },
          { description: 'Lanes that were lost and replaced.', unit: '{lanes}' },
        )
        .add(1)
    },
  }
}
