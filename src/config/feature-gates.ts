import { didYouMean } from './nearest.ts'
import type { Report } from './problem.ts'
import { Source } from './tree.ts'

/** What a gate does here: it works, or has nothing to switch, or switches what this version does not have. */
type Here = 'works' | { readonly noEffect: string } | { readonly unsupported: string }

/** A feature gate of the Collector. */
export interface FeatureGate {
  readonly id: string
  readonly stage: 'Alpha' | 'Beta'
  /** Whether it is on unless told otherwise. */
  readonly enabled: boolean
  readonly description: string
  readonly here: Here
}

const NO_RELOAD = 'this version does not reload'

/** Those of the Collector's core, and of the contrib components that are built in. */
export const FEATURE_GATES: readonly FeatureGate[] = [
  {
    id: 'confmap.enableMergeAppendOption',
    stage: 'Alpha',
    enabled: false,
    description:
      'Lists of ids under service are joined when configurations are merged, where else the later replaces the earlier.',
    here: 'works',
  },
  {
    id: 'exporter.file.nativeCompression',
    stage: 'Alpha',
    enabled: false,
    description: 'The file exporter compresses its files as a whole.',
    here: { unsupported: 'the file exporter compresses request by request' },
  },
  {
    id: 'extension.healthcheck.useComponentStatus',
    stage: 'Alpha',
    enabled: false,
    description: 'The health_check extension answers by the status of components.',
    here: { unsupported: 'write use_v2: true into the health_check extension, which does the same' },
  },
  {
    id: 'pdata.useProtoPooling',
    stage: 'Alpha',
    enabled: false,
    description: 'Memory of decoded data is used again.',
    here: { noEffect: "it pools the Go structs of decoded data, which there are none of; the bytes' memory always is" },
  },
  {
    id: 'pkg.exporterhelper.queueBatchEnabled',
    stage: 'Alpha',
    enabled: false,
    description: 'Sending queues join what they hold (sending_queue.batch) unless they are told otherwise.',
    here: 'works',
  },
  {
    id: 'receiverhelper.newReceiverMetrics',
    stage: 'Alpha',
    enabled: false,
    description: 'Receivers count what they refused apart from what failed behind them.',
    here: { unsupported: 'receivers count as the Collector does without the gate' },
  },
  {
    id: 'service.AllowNoPipelines',
    stage: 'Alpha',
    enabled: false,
    description: 'A configuration may have no pipelines, and no receivers and exporters.',
    here: 'works',
  },
  {
    id: 'service.partialReload',
    stage: 'Alpha',
    enabled: false,
    description: 'A changed configuration restarts only what it changes.',
    here: { unsupported: NO_RELOAD },
  },
  {
    id: 'service.partialReloadReceivers',
    stage: 'Beta',
    enabled: false,
    description: 'A changed configuration restarts only the receivers where only they changed.',
    here: { unsupported: NO_RELOAD },
  },
  {
    id: 'service.profilesSupport',
    stage: 'Alpha',
    enabled: true,
    description: 'Pipelines may carry profiles.',
    here: { noEffect: 'pipelines carry profiles in any case' },
  },
  {
    id: 'telemetry.newPipelineTelemetry',
    stage: 'Alpha',
    enabled: false,
    description: "Metrics of Sluice's own name the component in attributes of their scope.",
    here: { unsupported: 'components are named by labels of the series' },
  },
]

/** Gates that the Collector has no more, because what they turned on is how it always is. */
const SETTLED: ReadonlySet<string> = new Set([
  'component.UseLocalHostAsDefaultHost',
  'confighttp.framedSnappy',
  'confmap.newExpandedValueSanitizer',
  'confmap.strictlyTypedInput',
  'confmap.unifyEnvVarExpansion',
  'otelcol.printInitialConfig',
  'service.connectors',
  'service.disableOpenCensusBridge',
  'service.graph',
  'telemetry.UseLocalHostAsDefaultMetricsAddress',
  'telemetry.disableAddressFieldForInternalTelemetry',
  'telemetry.useOtelForInternalMetrics',
])

/**
 * What `--feature-gates` says, each of `flags` being a list with commas: `id` and `+id` turn on, `-id` turns off. Returns the ids of those
 * that are on. Gates that do not exist, or that this version cannot turn, go to `report`.
 */
export function readFeatureGates(flags: readonly string[], report: Report): ReadonlySet<string> {
  const enabled = new Set(FEATURE_GATES.filter((gate) => gate.enabled).map(({ id }) => id))
  const text = flags.join(',')
  const source = new Source('--feature-gates', text)
  if (text !== '') report.files.push(source.name)
  let offset = 0
  for (const part of text === '' ? [] : text.split(',')) {
    const place = { source, offset }
    offset += part.length + 1
    const id = part.replace(/^[+-]/, '').trim()
    const on = !part.startsWith('-')
    const gate = FEATURE_GATES.find((each) => each.id === id)
    if (id === '') report.problem('CONFIG_FEATURE_GATE', place, [], 'expected the id of a feature gate between commas')
    else if (SETTLED.has(id)) {
      if (on) report.note('CONFIG_NO_EFFECT', place, [id], 'has no effect: it is how it always is; leave the gate out')
      else report.problem('CONFIG_FEATURE_GATE', place, [id], 'cannot be turned off any more: it is how it always is')
    } else if (gate === undefined) {
      const near =
        didYouMean(
          id,
          FEATURE_GATES.map((each) => each.id),
        ) || '; "sluice featuregate" lists those there are'
      report.problem('CONFIG_FEATURE_GATE', place, [id], `there is no such feature gate${near}`)
    } else if (gate.here === 'works') {
      if (on) enabled.add(id)
      else enabled.delete(id)
    } else if ('noEffect' in gate.here) {
      report.note('CONFIG_NO_EFFECT', place, [id], `has no effect: ${gate.here.noEffect}`)
    } else if (on) report.problem('CONFIG_FEATURE_GATE', place, [id], `not supported: ${gate.here.unsupported}`)
  }
  return enabled
}
