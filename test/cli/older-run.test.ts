import { afterEach, expect, test } from 'vitest'
import { endAll, eventually, startSluice } from '../support/sluice.ts'

// One configuration with an older form of most kinds, as a person starts it. Each form by itself is in test/config/older.

const OLDER = `
receivers:
  otlp:
    protocols:
      http: {endpoint: "127.0.0.1:0", cors_allowed_origins: ["http://*.example.com"]}
processors: {memory_limiter: {check_interval: 1s, limit_mib: 1000, ballast_size_mib: 100}}
exporters: {logging: {logLevel: info}}
extensions: {memory_ballast: {size_mib: 10}}
service:
  extensions: [memory_ballast]
  telemetry: {metrics: {address: "127.0.0.1:0"}}
  pipelines: {traces: {receivers: [otlp], processors: [memory_limiter], exporters: [logging]}}
`
const SPAN = '{"traceId":"00112233445566778899aabbccddeeff","spanId":"0011223344556677","name":"GET /cart"}'

afterEach(endAll)

test('an older configuration runs: a warning for each form, data flows, the metrics are where it says', async () => {
  const sluice = await startSluice(['run', '--config', `yaml:${OLDER}`])
  const warnings = sluice.output().match(/"msg":"yaml:\d+:\d+ {2}[^"\\]*/g)!
  expect(warnings.map((line) => line.replace(/.* {2}([^:]*):.*/, '$1'))).toEqual([
    'receivers.otlp.protocols.http.cors_allowed_origins',
    'processors.memory_limiter.ballast_size_mib',
    'exporters.logging',
    'exporters.logging.logLevel',
    'extensions.memory_ballast',
    'service.telemetry.metrics.address',
  ])
  const url = `http://${sluice.address('receiver otlp', 'http')}/v1/traces`
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: 'http://shop.example.com' },
    body: `{"resourceSpans":[{"scopeSpans":[{"spans":[${SPAN}]}]}]}`,
  })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('access-control-allow-origin')).toBe('http://shop.example.com')
  // `info` was what is `normal` now: a line for each span.
  await eventually(`the span is printed\n${sluice.output()}`, () => sluice.output().includes('GET /cart') || undefined)
  const text = await (await fetch(sluice.address('metrics', 'http'))).text()
  expect(text).toMatch(/^otelcol_receiver_accepted_spans\{[^}]*receiver="otlp"[^}]*\} 1$/m)
  expect(await sluice.stop()).toBe(0)
})
