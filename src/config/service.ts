import { MOST_LANES } from '../transport/connection-share.ts'
import { type Fields, field, type ValueOf } from './field.ts'
import type { Report } from './problem.ts'
import { checkTelemetry } from './telemetry.ts'
import { TELEMETRY } from './telemetry-fields.ts'
import type { Tree } from './tree.ts'

/** Ids are no strings to the Collector, so that here `receivers: a,b` is a mistake. */
function ids(doc: string) {
  return field.list(doc, field.string('An id.'), { default: [], commas: false })
}

/** `service`, but for its pipelines' references, which need the other sections. */
export const SERVICE = {
  extensions: ids('Extensions that run, in the order in which they start.'),
  pipelines: field.map(
    'What flows where: `<signal>` or `<signal>/<name>`.',
    field.object('One pipeline.', {
      receivers: ids('Receivers, and connectors that feed this pipeline.'),
      processors: ids('Processors in the order in which data passes them.'),
      exporters: ids('Exporters, and connectors that this pipeline feeds.'),
    }),
    { default: {} },
  ),
  telemetry: field.object('What Sluice tells about itself.', TELEMETRY, { default: {} }),
  admission: field.object(
    'The byte budget of everything that receivers take in, booked before a body is read.',
    {
      limit_mib: field.int(
        'Its size; it wins over the percentage. A quarter of it is for what connections may send unasked.',
        {
          min: 16,
          max: 1_048_576,
        },
      ),
      limit_percentage: field.int(
        'Its size in percent of the memory that the process may use, cgroups included. Unset: 25, and at most 2 GiB.',
        { min: 1, max: 100 },
      ),
    },
    { default: {}, own: true },
  ),
  lanes: field.intOr(
    'Worker threads, each with every pipeline; `auto`: as many as there are processors for this process.',
    'auto',
    { default: 'auto', min: 1, max: MOST_LANES, own: true },
  ),
  lane_restarts_per_minute: field.int(
    'Lanes that are lost are replaced. When more than this many are lost within a minute the process stops; with 0 at the first.',
    { default: 5, min: 0, max: 10_000, own: true },
  ),
  shutdown_timeout: field.duration('How long a stop may take to drain what is held.', { default: '30s', own: true }),
} satisfies Fields

export type Service = { readonly [K in keyof typeof SERVICE]: ValueOf<(typeof SERVICE)[K]> }

/** Rules of `service` that go past one option, `root` being the whole configuration. */
export function checkService(service: Service, root: Tree, report: Report): void {
  checkTelemetry(service.telemetry, root, report)
}
