import type { ComponentHealth, Host, HostContext } from '../../src/component/host.ts'
import type { ResolvedConfig } from '../../src/config/resolved.ts'
import type { Reading } from '../../src/telemetry/registry.ts'
import type { SpanSummary } from '../../src/telemetry/span-book.ts'
import { type TestContext, testContext } from './context.ts'
import { ownTelemetry } from './own-telemetry.ts'

/** A host whose health and readings a test sets. */
export interface TestHost extends Host {
  healths: readonly ComponentHealth[]
  values: readonly Reading[]
  ownSpans: readonly SpanSummary[]
  /** Calls everybody back who asked for changes of health. */
  changed(): void
}

const NOTHING: ResolvedConfig = {
  receivers: {},
  processors: {},
  exporters: {},
  connectors: {},
  extensions: {},
  service: {
    pipelines: [{ id: 'traces', signal: 'traces', receivers: ['otlp'], processors: ['batch'], exporters: ['debug'] }],
    extensions: ['health_check'],
    telemetry: ownTelemetry({ logs: { level: 'info', encoding: 'json' }, metrics: { level: 'detailed' } }),
    admission: { limitMib: undefined, limitPercentage: undefined },
    lanes: 1,
    laneRestartsPerMinute: 5,
    shutdownTimeoutMs: 1000,
    featureGates: [],
  },
  secrets: [],
}

export function testHost(config: ResolvedConfig = NOTHING): TestHost {
  const listeners = new Set<() => void>()
  return {
    version: '1.2.3',
    resource: { 'service.name': 'sluice' },
    startedAt: Date.UTC(2026, 0, 1),
    config,
    effectiveConfig: () => ({ receivers: { otlp: {} } }),
    healths: [],
    values: [],
    health() {
      return this.healths
    },
    onHealth(callback) {
      listeners.add(callback)
      return () => listeners.delete(callback)
    },
    changed() {
      for (const listener of listeners) listener()
    },
    readings() {
      return this.values
    },
    ownSpans: [],
    spans() {
      return this.ownSpans
    },
    threads: async () => [],
  }
}

/** The context of an extension beside the lanes. */
export function hostContext(id: string, host: TestHost = testHost()): TestContext & HostContext & { host: TestHost } {
  return { ...testContext({ kind: 'extension', id }), host }
}
