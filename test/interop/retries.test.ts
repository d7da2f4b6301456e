import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { writeProtobufjs } from '../otlp/support/oracles.ts'
import { exportGrpc } from '../support/grpc-client.ts'
import { freePort } from '../support/ports.ts'
import { endAll, eventually, startSluice } from '../support/sluice.ts'
import { otelcol } from './peers/registry.ts'
import { startCollector } from './support/collector.ts'
import { endPeers, needs } from './support/peers.ts'
import { askFor, type RefusingServer, startRefusingServer } from './support/refusing-server.ts'

// A server gives every answer that there is, once to a Collector and once to Sluice: both come again after the same ones. What
// this does not prove: how long they wait.

let folder: string
let server: RefusingServer

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-retries-'))
  server = await startRefusingServer()
})

afterEach(async () => {
  endAll()
  endPeers()
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

const GRPC_CODES = Array.from({ length: 17 }, (_, code) => code)
const HTTP_CODES = [
  200, 201, 202, 204, 206, 300, 304, 400, 401, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413, 414, 415, 418, 422,
  423, 425, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 507, 508, 511, 520, 599,
]
const ANSWERS = {
  grpc: GRPC_CODES.flatMap((code) => [askFor(code, ''), askFor(code, '0'), askFor(code, '1')]),
  http: [
    ...HTTP_CODES.map((code) => askFor(code, '')),
    ...[429, 500, 502, 503, 504].flatMap((code) => [askFor(code, '1'), askFor(code, 'date')]),
    askFor(503, 'garbage'),
    askFor(200, 'garbage'),
  ],
} as const

// OTLP specification, "Failures", as the Collector reads it.
const RETRIED = {
  grpc: [1, 4, 8, 10, 11, 14, 15].flatMap((code) => [
    // RESOURCE_EXHAUSTED passes only where RetryInfo says so.
    ...(code === 8 ? [] : [askFor(code, '')]),
    askFor(code, '0'),
    askFor(code, '1'),
  ]),
  http: [
    ...[429, 502, 503, 504].map((code) => askFor(code, '')),
    ...[429, 502, 503, 504].flatMap((code) => [askFor(code, '1'), askFor(code, 'date')]),
    askFor(503, 'garbage'),
  ],
} as const

const { skip, note } = needs(otelcol)

describe.skipIf(skip)(`a Go Collector beside Sluice${note}`, () => {
  test.each(['grpc', 'http'] as const)('by %s: both come again after the same answers', async (protocol) => {
    const take = async (name: 'otelcol' | 'sluice'): Promise<Record<string, number>> => {
      const port = await freePort()
      const common = {
        retry_on_failure: { initial_interval: '50ms', max_interval: '100ms' },
        sending_queue: { num_consumers: ANSWERS[protocol].length },
        timeout: '10s',
      }
      const yaml = JSON.stringify({
        receivers: { otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${port}` } } } },
        exporters:
          protocol === 'grpc'
            ? { otlp_grpc: { endpoint: server.grpc, tls: { insecure: true }, ...common } }
            : { otlp_http: { endpoint: server.http, ...common } },
        service: {
          telemetry: { metrics: { level: 'none' } },
          pipelines: { traces: { receivers: ['otlp'], exporters: [`otlp_${protocol}`] } },
        },
      })
      const file = join(folder, 'sluice.yaml')
      writeFileSync(file, yaml)
      server.reset()
      const engine =
        name === 'sluice' ? await startSluice(['run', file]) : await startCollector(folder, name, yaml, port)
      for (const answer of ANSWERS[protocol]) {
        const span = { traceId: new Uint8Array(16).fill(7), spanId: new Uint8Array(8).fill(1), name: answer }
        await exportGrpc(
          `127.0.0.1:${port}`,
          'traces',
          writeProtobufjs('traces', { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
        )
      }
      const attempts = (answer: string): number => server.attempts.get(answer) ?? 0
      await eventually(`${name} tries all\n${engine.output()}`, () =>
        ANSWERS[protocol].every((answer) => attempts(answer) > 0) ? true : undefined,
      )
      // Longer than the longest delay that an answer asks for, and half of it again.
      await sleep(2500)
      await engine.stop()
      return Object.fromEntries(ANSWERS[protocol].map((answer) => [answer, attempts(answer)]))
    }
    const ours = await take('sluice')
    expect(ours).toEqual(await take('otelcol'))
    expect(ANSWERS[protocol].filter((answer) => ours[answer] === 2)).toEqual(RETRIED[protocol])
  })
})
