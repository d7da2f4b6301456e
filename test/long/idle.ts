/**
 * `npm run test:long idle -- [seconds]`: an engine with the usual gateway configuration and nothing to do. Prints the share of a
 * core that it takes, and fails above half a percent.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSluice } from '../support/sluice.ts'

const LIMIT_PERCENT = 0.5
/** Warming up is not idling. */
const SETTLE_S = 5

const seconds = Number(process.argv[2] ?? 30)
const folder = mkdtempSync(join(tmpdir(), 'sluice-idle-'))
const file = join(folder, 'idle.yaml')
writeFileSync(
  file,
  `
receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 1000}
  batch:
exporters:
  otlp_grpc: {endpoint: "127.0.0.1:1", tls: {insecure: true}}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp_grpc]}
    metrics: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp_grpc]}
    logs: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp_grpc]}
  telemetry:
    metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: 0}}}}]}
`,
)
const sluice = await startSluice(['run', file])
const metrics = sluice.listening.find(({ component }) => component === 'metrics')!.address
const pause = (s: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, s * 1000))

const own = async (): Promise<number> =>
  Number(/^otelcol_process_cpu_seconds (.+)$/m.exec(await (await fetch(metrics)).text())![1])

await pause(SETTLE_S)
const before = await own()
await pause(seconds)
const used = (await own()) - before
const percent = (used / seconds) * 100
console.log(
  `idle for ${seconds} s: ${used.toFixed(3)} CPU seconds, ${percent.toFixed(2)} % of a core (limit ${LIMIT_PERCENT} %)`,
)
await sluice.stop()
rmSync(folder, { recursive: true })
if (percent > LIMIT_PERCENT) process.exitCode = 1
