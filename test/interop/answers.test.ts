import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../support/ports.ts'
import { endAll, startSluice } from '../support/sluice.ts'
import { otelcol } from './peers/registry.ts'
import { askGrpc, askHttp, GRPC_CASES, HTTP_CASES, LARGEST_BODY } from './support/answers.ts'
import { startCollector } from './support/collector.ts'
import { endPeers, needs } from './support/peers.ts'

// The same odd and broken requests to a Collector and to Sluice: the same answers, but for those below, which are meant. What
// this does not prove: what a pipeline's refusal becomes, which test/receivers shows against the Collector's table.

/** Answers that differ on purpose: theirs, ours, and why. */
const DIFFERENT: Readonly<Record<string, readonly [theirs: string, ours: string, why: string]>> = {
  'HTTP, GZIP': [
    '400 application/x-protobuf code 3',
    '200 application/x-protobuf',
    'codings are compared without case: RFC 9110, section 8.4.1',
  ],
  'HTTP, identity': [
    '400 application/x-protobuf code 3',
    '200 application/x-protobuf',
    'a coding that does nothing is none',
  ],
  'HTTP, two slashes': [
    '307 no type',
    '404 text/plain; charset=utf-8',
    'no client of OTLP follows a redirect with its body',
  ],
  'HTTP, JSON and more': [
    '200 application/json',
    '400 application/json code 3',
    'what follows would be lost in silence',
  ],
  'HTTP, more than it takes': [
    '400 application/x-protobuf code 3',
    '413 application/x-protobuf code 3',
    'a sender can tell that smaller requests would pass',
  ],
  'HTTP, more JSON than it takes': ['400 application/json code 3', '413 application/json code 3', 'the same'],
  'HTTP, gzip that becomes more than it takes': [
    '400 application/x-protobuf code 3',
    '413 application/x-protobuf code 3',
    'the same',
  ],
  'gRPC, deflate': ['status 12', 'status 0', 'a compression more'],
  'gRPC, what is not protobuf': ['status 13', 'status 3', 'the fault is the client’s'],
}

const { skip, note } = needs(otelcol)

describe.skipIf(skip)(`a Go Collector beside Sluice${note}`, () => {
  let folder: string
  const ports = { otelcol: { grpc: 0, http: 0 }, sluice: { grpc: 0, http: 0 } }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-answers-'))
    for (const name of ['otelcol', 'sluice'] as const) {
      const port = { grpc: await freePort(), http: await freePort() }
      ports[name] = port
      const yaml = JSON.stringify({
        receivers: {
          otlp: {
            protocols: {
              grpc: { endpoint: `127.0.0.1:${port.grpc}`, max_recv_msg_size_mib: 1 },
              http: { endpoint: `127.0.0.1:${port.http}`, max_request_body_size: LARGEST_BODY },
            },
          },
        },
        exporters: { nop: null },
        service: {
          telemetry: { metrics: { level: 'none' } },
          pipelines: { traces: { receivers: ['otlp'], exporters: ['nop'] } },
        },
      })
      const file = join(folder, 'sluice.yaml')
      writeFileSync(file, yaml)
      if (name === 'sluice') await startSluice(['run', file])
      else await startCollector(folder, name, yaml, port.http)
    }
  })

  afterAll(() => {
    endAll()
    endPeers()
    rmSync(folder, { recursive: true, force: true })
  })

  function compare(name: string, theirs: string, ours: string): void {
    const meant = DIFFERENT[name]
    if (meant === undefined) expect(ours).toBe(theirs)
    else expect([theirs, ours]).toEqual(meant.slice(0, 2))
  }

  test.each(Object.keys(HTTP_CASES))('HTTP, %s', async (name) => {
    const ask = (port: number): Promise<string> => askHttp(port, HTTP_CASES[name]!)
    compare(`HTTP, ${name}`, await ask(ports.otelcol.http), await ask(ports.sluice.http))
  })

  test.each(Object.keys(GRPC_CASES))('gRPC, %s', async (name) => {
    const ask = (port: number): Promise<string> => askGrpc(port, GRPC_CASES[name]!)
    compare(`gRPC, ${name}`, await ask(ports.otelcol.grpc), await ask(ports.sluice.grpc))
  })
})
