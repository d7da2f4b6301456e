import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import builtIn from '../../../src/cli/components.ts'
import type { ComponentKind } from '../../../src/component/contracts.ts'
import type { Definition } from '../../../src/component/define.ts'
import { definitionOf, registryOf } from '../../../src/component/registry.ts'
import { loadConfig } from '../../../src/config/load.ts'
import type { ResolvedConfig } from '../../../src/config/resolved.ts'

export const registry = registryOf(builtIn)

const folder = mkdtempSync(join(tmpdir(), 'sluice-contract-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Nothing listens on port 1 of the loopback interface, and nobody without privileges can. */
const DEAD = '127.0.0.1:1'

/**
 * The smallest configuration of every component, as YAML's data. A new component joins the exam by a line here; the first
 * test of the exam says so when it is missing.
 */
export const SMALLEST: Readonly<Record<string, object>> = {
  'receiver generator': {},
  'receiver nop': {},
  'receiver otlp': { protocols: { grpc: { endpoint: '127.0.0.1:0' }, http: { endpoint: '127.0.0.1:0' } } },
  'processor attributes': { actions: [{ key: 'env', value: 'test', action: 'upsert' }] },
  'processor batch': {},
  'processor memory_limiter': { check_interval: '1s', limit_percentage: 80 },
  'processor resource': { attributes: [{ key: 'env', value: 'test', action: 'upsert' }] },
  'exporter debug': { use_internal_logger: true },
  'exporter file': { path: join(folder, 'telemetry.jsonl') },
  'exporter nop': {},
  'exporter otlp_grpc': { endpoint: DEAD, tls: { insecure: true } },
  'exporter otlp_http': { endpoint: `http://${DEAD}` },
  'connector forward': {},
  'extension basicauth': { client_auth: { username: 'me', password: 'secret' } },
  'extension bearertokenauth': { token: 'secret' },
  'extension headers_setter': { headers: [{ key: 'X-Scope-OrgID', value: 'a' }] },
  'extension memory_limiter': { check_interval: '1s', limit_percentage: 80 },
  'extension health_check': { endpoint: '127.0.0.1:0' },
  'extension pprof': { endpoint: '127.0.0.1:0' },
  'extension zpages': { endpoint: '127.0.0.1:0' },
}

export const definitions: readonly Definition[] = registry.definitions

export function nameOf({ kind, type }: Pick<Definition, 'kind' | 'type'>): string {
  return `${kind} ${type}`
}

export function definition(kind: ComponentKind, type: string): Definition {
  return definitionOf(registry, kind, type)
}

/** Loads `config` through the real loader; throws with the problems where there are any. */
export async function resolve(config: object): Promise<ResolvedConfig> {
  const loaded = await loadConfig({ config: [`yaml:${JSON.stringify(config)}`], env: {}, cwd: process.cwd() }, registry)
  if (loaded.config === undefined)
    throw new Error(loaded.problems.map(({ message, path }) => `${path}: ${message}`).join('\n'))
  return loaded.config
}

/** The defaults-filled configuration of one component, made the way a user's would be. */
export async function smallestConfig(subject: Definition): Promise<object> {
  const section = `${subject.kind}s` as const
  const config = await resolve(pipelineWith(subject))
  return config[section][subject.type]!.config
}

/** A configuration whose pipeline for `signal` contains `subject` and otherwise nothing of interest. */
export function pipelineWith(
  subject: Definition,
  signal: string = subject.signals[0]!,
  overrides: object = {},
): object {
  const { kind, type } = subject
  const own = { [type]: { ...SMALLEST[nameOf(subject)], ...overrides } }
  const pipeline = {
    receivers: kind === 'receiver' ? [type] : ['nop'],
    processors: kind === 'processor' ? [type] : [],
    exporters: kind === 'exporter' || kind === 'connector' ? [type] : ['nop'],
  }
  return {
    receivers: { nop: {}, ...(kind === 'receiver' && own) },
    processors: kind === 'processor' ? own : {},
    exporters: { nop: {}, ...(kind === 'exporter' && own) },
    connectors: kind === 'connector' ? own : {},
    extensions: kind === 'extension' ? own : {},
    service: {
      extensions: kind === 'extension' ? [type] : [],
      pipelines: {
        [kind === 'extension' ? 'traces' : signal]: pipeline,
        ...(kind === 'connector' && { [`${signal}/after`]: { receivers: [type], exporters: ['nop'] } }),
      },
    },
  }
}
