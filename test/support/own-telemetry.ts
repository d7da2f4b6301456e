import { decodeFields, INVALID } from '../../src/config/decode.ts'
import { Report } from '../../src/config/problem.ts'
import type { ResolvedTelemetry } from '../../src/config/resolved.ts'
import { resolveTelemetry } from '../../src/config/telemetry.ts'
import { TELEMETRY, type Telemetry } from '../../src/config/telemetry-fields.ts'
import { Source, treeOf } from '../../src/config/tree.ts'

/** `service.telemetry` as the loader gives it, of plain data. */
export function ownTelemetry(telemetry: object = {}): ResolvedTelemetry {
  const report = new Report()
  const place = { source: new Source('test', ''), offset: 0 }
  const decoded = decodeFields(TELEMETRY, treeOf(telemetry, place), [], place, report)
  if (decoded === INVALID) throw new Error(report.problems.map(({ path, message }) => `${path}: ${message}`).join('\n'))
  return resolveTelemetry(decoded as Telemetry)
}
