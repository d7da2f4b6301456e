/** Who runs a pipeline, and how each is started. */
import { fileURLToPath } from 'node:url'
import { isInstalled, type Peer, pathOf } from '../test/interop/peers/peer.ts'
import { otelcol as testedOtelcol } from '../test/interop/peers/registry.ts'
import type { Protocol } from './load/protocol.ts'
import { otelcol, rotel } from './peers/registry.ts'

/**
 * Sluice in one lane, or in two on the same core; the Go Collector with Go's usual garbage collection or a lazier one; rotel; and the baselines of `baselines/`, which
 * only do what `first-light.yaml` and `first-light-edit.yaml` say.
 */
export type Engine = 'sluice' | 'sluice-two-lanes' | 'otelcol' | 'otelcol-gogc400' | 'rotel' | 'protobufjs' | 'grpc-raw'

export const ENGINES: readonly Engine[] = [
  'sluice',
  'sluice-two-lanes',
  'otelcol',
  'otelcol-gogc400',
  'rotel',
  'protobufjs',
  'grpc-raw',
]

/** Where an engine is started, and what it listens to and sends to. */
export interface Place {
  /** A file of `pipelines/`, without its ending. */
  readonly pipeline: string
  readonly port: number
  readonly outPort: number
  readonly metricsPort: number
  readonly protocol: Protocol
}

export interface Start {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))
const MAIN = path('../src/cli/main.ts')
/** Compiled code is kept where Sluice's launcher keeps it: compiling is most of what it costs to start. */
export const COMPILED = { NODE_COMPILE_CACHE: path('../node_modules/.cache/sluice') }

/** How an engine is started so that it says on its output what its garbage collector does. */
export function startOf(engine: Engine, place: Place): Start {
  const { pipeline, port, outPort, metricsPort } = place
  const file = path(`pipelines/${pipeline}.yaml`)
  const env = { IN: `127.0.0.1:${port}`, OUT: `127.0.0.1:${outPort}`, METRICS: String(metricsPort) }
  switch (engine) {
    case 'sluice':
    case 'sluice-two-lanes':
      return {
        // One core is what all engines get, as GOMAXPROCS=1 says it to Go.
        command: [process.execPath, '--trace-gc', MAIN, 'run', '--lanes', engine === 'sluice' ? '1' : '2', file],
        // As its launcher does.
        env: { ...env, MALLOC_MMAP_THRESHOLD_: '131072' },
      }
    case 'otelcol':
    case 'otelcol-gogc400':
      return {
        command: [collector() ?? '', `--config=${file}`],
        // One core is one thread's worth: else Go's collector of garbage takes turns with itself.
        env: {
          ...env,
          GOMAXPROCS: '1',
          GODEBUG: 'gctrace=1',
          GOGC: engine === 'otelcol' ? '100' : '400',
        },
      }
    case 'rotel':
      return { command: [pathOf(rotel), 'start', ...rotelOptions(place, env)], env: {} }
    case 'protobufjs':
    case 'grpc-raw': {
      const mode = pipeline === 'first-light-edit' ? 'edit' : 'pass'
      const script = path(`baselines/${engine}.ts`)
      return { command: [process.execPath, script, String(port), String(outPort), mode], env: COMPILED }
    }
  }
}

/** Sluice as people start it. */
export function launcherOf(place: Place): Start {
  return {
    command: [path('../sluice'), 'run', '--lanes', '1', path(`pipelines/${place.pipeline}.yaml`)],
    env: startOf('sluice', place).env,
  }
}

/** It reads no YAML: what the pipelines without processors say, as options. */
function rotelOptions(
  { protocol, pipeline, metricsPort }: Place,
  { IN, OUT }: { readonly IN: string; readonly OUT: string },
): string[] {
  return [
    `--otlp-${protocol}-endpoint=${IN}`,
    `--otlp-${protocol === 'grpc' ? 'http' : 'grpc'}-endpoint=127.0.0.1:${metricsPort}`,
    '--exporter=otlp',
    `--otlp-exporter-endpoint=http://${OUT}`,
    `--otlp-exporter-protocol=${protocol}`,
    `--otlp-exporter-compression=${pipeline === 'grpc-gzip' ? 'gzip' : 'none'}`,
  ]
}

/** The Collector of the benches, or where that is not installed the one of the interop tests: the same version. */
function collector(): string | undefined {
  for (const peer of [otelcol, testedOtelcol]) if (isInstalled(peer)) return pathOf(peer)
  return undefined
}

/** What has to be installed for an engine's figures to count. */
export function peerOf(engine: Engine): Peer | undefined {
  if (engine === 'rotel') return rotel
  return engine === 'otelcol' || engine === 'otelcol-gogc400' ? otelcol : undefined
}

/** Why an engine cannot be run here now. */
export function missing(engine: Engine): string | undefined {
  const peer = peerOf(engine)
  if (peer === undefined || isInstalled(peer) || (peer === otelcol && collector() !== undefined)) return undefined
  return `${peer.summary} is not installed; tools/node bench/peers/install.ts ${peer.name} does it`
}
