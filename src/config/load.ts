import type { ConfigCode } from './codes.ts'
import { type ConfiguredComponents, readComponents } from './components.ts'
import { checkConnectors } from './connectors.ts'
import { decodeFields, INVALID } from './decode.ts'
import { expand } from './expand.ts'
import { readFeatureGates } from './feature-gates.ts'
import { merge, splitKeys } from './merge.ts'
import { didYouMean } from './nearest.ts'
import { modernise } from './older/modernise.ts'
import { readPipelines } from './pipelines.ts'
import { inReadingOrder, type Problem, Report } from './problem.ts'
import { withQueueBatches } from './queue-batches.ts'
import { KIND_OF, type Registry } from './registry.ts'
import { type Components, type ResolvedConfig, SECTIONS, type Section } from './resolved.ts'
import { checkService, SERVICE, type Service } from './service.ts'
import { readConfigSource, readSetting, type Surroundings } from './sources.ts'
import { resolveTelemetry } from './telemetry.ts'
import { isEmpty, keyAt, type Mapping, type Tree, valueAt } from './tree.ts'

export interface LoadOptions extends Surroundings {
  /** Every `--config`, in order: a path, or `scheme:…` with file, env, yaml, http or https. Later ones win. */
  readonly config: readonly string[]
  /** Every `--set key.sub=value`, laid over all sources. */
  readonly set?: readonly string[]
  /** Every `--feature-gates`: `a,-b,+c`. */
  readonly featureGates?: readonly string[]
}

export interface Loaded {
  /** There if and only if `problems` is empty. */
  readonly config?: ResolvedConfig
  /** What keeps the configuration from running, in reading order. */
  readonly problems: readonly Problem[]
  /** Odd, but it runs. */
  readonly warnings: readonly Problem[]
  /** Options that are taken and have nothing to tune here. */
  readonly notes: readonly Problem[]
}

/**
 * Reads, merges, expands and checks a configuration. Finds everything that is wrong before anything starts; touches
 * nothing but the sources and what their references name. Never rejects because of what a source says.
 */
export async function loadConfig(options: LoadOptions, registry: Registry): Promise<Loaded> {
  const report = new Report()
  const gates = readFeatureGates(options.featureGates ?? [], report)
  const root = await readRoot(options, gates, report)
  const config =
    root === undefined ? undefined : resolve(asOfToday(root, gates, registry, report), gates, registry, report)
  const order = (problems: readonly Problem[]): Problem[] => inReadingOrder(problems, report.files)
  return {
    ...(config !== undefined && report.problems.length === 0 && { config }),
    problems: order(report.problems),
    warnings: order(report.warnings),
    notes: order(report.notes),
  }
}

/** Problems that leave a source readable. */
const READABLE: ReadonlySet<ConfigCode> = new Set(['CONFIG_DUPLICATE_KEY', 'CONFIG_DOCUMENTS', 'CONFIG_FEATURE_GATE'])

/** All sources as one expanded tree. Undefined where one could not be read: what follows would be noise. */
async function readRoot(
  options: LoadOptions,
  gates: ReadonlySet<string>,
  report: Report,
): Promise<Mapping | undefined> {
  const trees: (Tree | undefined)[] = []
  for (const uri of options.config) trees.push(await readConfigSource(uri, options, report))
  for (const argument of options.set ?? []) trees.push(readSetting(argument, report))
  const readable = report.problems.every(({ code }) => READABLE.has(code))
  if (!readable) return undefined
  const [first, ...others] = trees.filter((tree) => tree !== undefined).map((tree) => splitKeys(tree, report))
  if (first === undefined) {
    report.unreadable(
      'CONFIG_EMPTY',
      '--config',
      'no configuration was given; name a file, for example pipelines/quickstart.yaml',
    )
    return undefined
  }
  const joinLists = gates.has('confmap.enableMergeAppendOption')
  const merged = others.reduce((before, tree) => merge(before, tree, report, { joinLists }), first)
  const root = splitKeys(await expand(merged, options, report), report)
  if (root.kind !== 'map') return undefined
  if (root.entries.size > 0) return root
  report.problem(
    'CONFIG_EMPTY',
    root.place,
    [],
    'empty configuration; it needs receivers, exporters and service.pipelines',
  )
  return undefined
}

/** With older forms in today's, and what gates change of it. */
function asOfToday(root: Mapping, gates: ReadonlySet<string>, registry: Registry, report: Report): Mapping {
  const modern = modernise(root, registry, report)
  return gates.has('pkg.exporterhelper.queueBatchEnabled') ? withQueueBatches(modern, registry) : modern
}

function resolve(
  root: Mapping,
  gates: ReadonlySet<string>,
  registry: Registry,
  report: Report,
): ResolvedConfig | undefined {
  checkSections(root, report)
  const components = readComponents(root, registry, report)
  const serviceKey = keyAt(root, ['service'])
  const decoded = decodeFields(SERVICE, valueAt(root, ['service']), ['service'], serviceKey, report)
  const service = decoded === INVALID ? undefined : (decoded as Service)
  if (service !== undefined) checkService(service, root, report)
  if (!gates.has('service.AllowNoPipelines')) checkPresence(components, root, report)
  const { pipelines, used } = readPipelines(components, registry, root, report)
  checkConnectors(pipelines, components, root, report)
  checkExtensionIds(used, components, report)
  warnUnused(components, used, report)
  if (service === undefined || report.problems.length > 0) return undefined
  const section = (name: Section): Components =>
    Object.fromEntries(
      [...components[name].values()].map(({ id, definition, config }) => [
        id,
        { id, type: definition?.type ?? '', config: config ?? {}, used: used[name].has(id) },
      ]),
    )
  return {
    receivers: section('receivers'),
    processors: section('processors'),
    exporters: section('exporters'),
    connectors: section('connectors'),
    extensions: section('extensions'),
    service: {
      pipelines,
      extensions: [...new Set(service.extensions)],
      telemetry: resolveTelemetry(service.telemetry),
      admission: { limitMib: service.admission.limit_mib, limitPercentage: service.admission.limit_percentage },
      lanes: service.lanes,
      laneRestartsPerMinute: service.lane_restarts_per_minute,
      shutdownTimeoutMs: service.shutdown_timeout,
      featureGates: [...gates],
    },
    secrets: report.secrets,
  }
}

function checkSections(root: Mapping, report: Report): void {
  const known = [...SECTIONS, 'service']
  for (const [key, entry] of root.entries) {
    if (known.includes(key)) continue
    const near = didYouMean(key, known)
    const way = Object.hasOwn(SERVICE, key) ? '; it belongs under "service"' : near || `; there are ${known.join(', ')}`
    const message = `there is no such section${way}`
    report.problem('CONFIG_UNKNOWN_KEY', entry.key, [key], message)
  }
}

function checkPresence(components: ConfiguredComponents, root: Mapping, report: Report): void {
  for (const section of ['receivers', 'exporters'] as const) {
    if (components[section].size > 0 || !isBlank(valueAt(root, [section]))) continue
    report.problem('CONFIG_REQUIRED', keyAt(root, [section]), [section], `no ${KIND_OF[section]} is configured`)
  }
  const path = ['service', 'pipelines']
  if (!isBlank(valueAt(root, ['service'])) && !isBlank(valueAt(root, path))) return
  const message = 'there is no pipeline; the smallest is traces: {receivers: [otlp], exporters: [debug]}'
  report.problem('CONFIG_PIPELINE', keyAt(root, path), path, message)
}

/** Nothing there, as opposed to something wrong there, which was reported. */
function isBlank(tree: Tree | undefined): boolean {
  if (tree === undefined) return true
  return tree.kind === 'map' ? tree.entries.size === 0 : isEmpty(tree) && !tree.broken
}

/** Extensions that components name (`auth.authenticator`) have to run; a component that is not used names in vain. */
function checkExtensionIds(
  used: Readonly<Record<Section, ReadonlySet<string>>>,
  components: ConfiguredComponents,
  report: Report,
): void {
  for (const { path, place, id } of report.extensionIds) {
    const [section, component] = path
    const counts = SECTIONS.some((name) => name === section && used[name].has(String(component)))
    if (!counts || used.extensions.has(id)) continue
    const message = components.extensions.has(id)
      ? `the extension "${id}" does not run; add it to service.extensions`
      : `no extension "${id}" is configured${didYouMean(id, [...components.extensions.keys()])}`
    report.problem('CONFIG_REFERENCE', place, path, message)
  }
}

function warnUnused(
  components: ConfiguredComponents,
  used: Readonly<Record<Section, ReadonlySet<string>>>,
  report: Report,
): void {
  for (const section of SECTIONS) {
    for (const { id, key, definition } of components[section].values()) {
      if (definition === undefined || used[section].has(id)) continue
      const where = section === 'extensions' ? 'service.extensions does not name it' : 'no pipeline names it'
      report.warning('CONFIG_UNUSED', key, [section, id], `is not started: ${where}`)
    }
  }
}
