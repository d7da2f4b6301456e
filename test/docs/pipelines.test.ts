import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PlainObject } from '../../src/otlp/plain-object.ts'
import { writeProtobufjs } from '../otlp/support/oracles.ts'
import { type Backend, startBackend } from '../support/backend.ts'
import { endAll, eventually, type RunningSluice, runSluice, startSluice } from '../support/sluice.ts'
import { files, root } from '../support/tree.ts'

// Ports are the only thing that the tests change in the files: an agent, a gateway and the default metrics port cannot
// all be had on one machine. That the default ports work is shown by readme.test.ts, where they are free.

let temp: string
let backend: Backend

beforeEach(async () => {
  temp = mkdtempSync(join(tmpdir(), 'sluice-pipelines-'))
  backend = await startBackend()
})

afterEach(async () => {
  endAll()
  await backend.stop()
  rmSync(temp, { recursive: true, force: true })
})

const FREE_PORTS = [
  'receivers.otlp.protocols.grpc.endpoint=127.0.0.1:0',
  'receivers.otlp.protocols.http.endpoint=127.0.0.1:0',
  'service.telemetry.metrics.level=none',
]
const FREE_HEALTH_PORT = 'extensions.health_check.endpoint=127.0.0.1:0'

const string = (key: string, stringValue: string): PlainObject => ({ key, value: { stringValue } })

const RESOURCE = { attributes: [string('service.name', 'fed-by-test')] }
const REQUESTS = {
  traces: {
    resourceSpans: [
      {
        resource: RESOURCE,
        scopeSpans: [
          {
            spans: [
              {
                traceId: new Uint8Array(16).fill(1),
                spanId: new Uint8Array(8).fill(2),
                name: 'fed span',
                attributes: [string('http.request.header.authorization', 'Bearer x'), string('user.id', '7')],
              },
            ],
          },
        ],
      },
    ],
  },
  metrics: {
    resourceMetrics: [
      {
        resource: RESOURCE,
        scopeMetrics: [{ metrics: [{ name: 'fed.metric', gauge: { dataPoints: [{ asInt: 42n }] } }] }],
      },
    ],
  },
  logs: {
    resourceLogs: [{ resource: RESOURCE, scopeLogs: [{ logRecords: [{ body: { stringValue: 'fed log' } }] }] }],
  },
} satisfies Record<string, PlainObject>

async function feed(sluice: RunningSluice): Promise<void> {
  const address = sluice.address('receiver otlp', 'http')
  for (const signal of ['traces', 'metrics', 'logs'] as const) {
    const response = await fetch(`http://${address}/v1/${signal}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: new Uint8Array(writeProtobufjs(signal, REQUESTS[signal])),
    })
    expect(response.status, await response.text()).toBe(200)
  }
}

/** What the backend got, once all three signals are there. */
async function arrived(): Promise<Record<string, { by: string; text: string }>> {
  return eventually('all three signals at the backend', () => {
    if (new Set(backend.received.map(({ signal }) => signal)).size < 3) return undefined
    return Object.fromEntries(
      backend.received.map(({ signal, by, request }) => [signal, { by, text: JSON.stringify(request, printable) }]),
    )
  })
}

const printable = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value)

const set = (...values: string[]): string[] => values.flatMap((value) => ['--set', value])

describe('pipelines/', () => {
  test.each(files('pipelines/*.yaml'))('%s is valid and says nothing', async (path) => {
    expect(await runSluice(['validate', path])).toEqual({ code: 0, stdout: expect.any(String), stderr: '' })
  })

  test('every file is started and fed below', () => {
    expect(files('pipelines/*.yaml').map((path) => basename(path))).toEqual([
      'agent.yaml',
      'gateway.yaml',
      'quickstart.yaml',
    ])
  })

  test('agent.yaml marks what it takes, drops what should not leave, and hands it to the gateway', async () => {
    const sluice = await startSluice(['run', 'pipelines/agent.yaml', ...set(...FREE_PORTS, FREE_HEALTH_PORT)], {
      env: { GATEWAY_ENDPOINT: backend.grpc, HOSTNAME: 'host-7' },
    })
    await feed(sluice)
    const { traces, metrics, logs } = await arrived()
    for (const each of [traces, metrics, logs]) {
      expect(each).toMatchObject({ by: 'grpc' })
      expect(each!.text).toContain('"host.name","value":{"stringValue":"host-7"}')
    }
    expect(traces!.text).toContain('user.id')
    expect(traces!.text).not.toContain('authorization')
    expect(await sluice.stop()).toBe(0)
  })

  test('gateway.yaml sends traces by gRPC and the rest by HTTP', async () => {
    const sluice = await startSluice(['run', 'pipelines/gateway.yaml', ...set(...FREE_PORTS, FREE_HEALTH_PORT)], {
      env: { TRACES_ENDPOINT: backend.grpc, OTLP_HTTP_ENDPOINT: backend.http, ZONE: 'zone-b' },
    })
    await feed(sluice)
    const { traces, metrics, logs } = await arrived()
    expect([traces!.by, metrics!.by, logs!.by]).toEqual(['grpc', 'http', 'http'])
    expect(metrics!.text).toContain('fed.metric')
    expect(logs!.text).toContain('"gateway.zone","value":{"stringValue":"zone-b"}')
    expect(await sluice.stop()).toBe(0)
  })

  test('quickstart.yaml makes telemetry, and writes it and what is sent to the terminal and the file', async () => {
    const sluice = await startSluice(['run', join(root, 'pipelines/quickstart.yaml'), ...set(...FREE_PORTS)], {
      cwd: temp,
    })
    await feed(sluice)
    const file = (): string => {
      try {
        return readFileSync(join(temp, 'quickstart-output/telemetry.jsonl'), 'utf8')
      } catch {
        return ''
      }
    }
    await eventually('what was sent, in the file', () =>
      ['fed span', 'fed.metric', 'fed log'].every((name) => file().includes(name)) ? true : undefined,
    )
    await eventually('what was sent, on the terminal', () =>
      ['fed span', 'fed.metric', 'fed log'].every((name) => sluice.output().includes(name)) ? true : undefined,
    )
    await eventually('generated telemetry of all signals', () => {
      const others = file()
        .split('\n')
        .filter((line) => line !== '' && !line.includes('fed-by-test'))
      return ['resourceSpans', 'resourceMetrics', 'resourceLogs'].every((key) =>
        others.some((line) => line.includes(key)),
      )
        ? true
        : undefined
    })
    expect(await sluice.stop()).toBe(0)
    for (const line of file().trimEnd().split('\n')) JSON.parse(line)
  })
})
