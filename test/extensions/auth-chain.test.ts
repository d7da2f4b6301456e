// An engine that asks its clients who they are and says to its backend who it is. TLS is left out: see the exporters' tests.
import * as http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { writeProtobufjs } from '../otlp/support/oracles.ts'
import { booksOf } from '../support/books.ts'
import { endAll, eventually, startSluice } from '../support/sluice.ts'

afterEach(endAll)

const REQUEST = writeProtobufjs('traces', {
  resourceSpans: [
    {
      scopeSpans: [{ spans: [{ traceId: new Uint8Array(16).fill(1), spanId: new Uint8Array(8).fill(1), name: 'a' }] }],
    },
  ],
})

async function post(address: string, headers: Record<string, string>): Promise<{ status: number; body: string }> {
  const response = await fetch(`http://${address}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf', ...headers },
    body: Buffer.from(REQUEST),
  })
  return { status: response.status, body: await response.text() }
}

test('who a client is decides whether its data comes in, and goes on to the backend as headers', async () => {
  const seen: http.IncomingHttpHeaders[] = []
  const backend = http.createServer((request, response) => {
    seen.push(request.headers)
    request.resume()
    response.end()
  })
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
  try {
    const engine = await startSluice([
      'run',
      '--config',
      `yaml:${JSON.stringify({
        extensions: {
          'basicauth/in': {
            htpasswd: { inline: 'outer:$$2b$$04$$2HPRd/I60ei4OhSKjjeQ7e/ImuiouRufl5Yn92gWXfZLp6QAq8y5O' },
          },
          'bearertokenauth/out': { token: 'engine-token' },
          headers_setter: {
            headers: [
              { key: 'X-User', from_attribute: 'username' },
              { key: 'X-Scope-OrgID', from_context: 'x-tenant', default_value: 'nobody' },
            ],
            additional_auth: 'bearertokenauth/out',
          },
        },
        receivers: {
          otlp: {
            protocols: {
              http: { endpoint: '127.0.0.1:0', include_metadata: true, auth: { authenticator: 'basicauth/in' } },
            },
          },
        },
        exporters: {
          otlp_http: {
            endpoint: `http://127.0.0.1:${(backend.address() as AddressInfo).port}`,
            auth: { authenticator: 'headers_setter' },
          },
        },
        service: {
          extensions: ['basicauth/in', 'bearertokenauth/out', 'headers_setter'],
          telemetry: { metrics: { level: 'none' } },
          pipelines: { traces: { receivers: ['otlp'], exporters: ['otlp_http'] } },
        },
      })}`,
    ])
    const address = engine.address('receiver otlp', 'http')
    const right = `Basic ${Buffer.from('outer:test').toString('base64')}`
    expect((await post(address, {})).status).toBe(401)
    expect((await post(address, { authorization: right.replace('Basic', 'Bearer') })).status).toBe(401)
    expect(
      (await post(address, { authorization: `Basic ${Buffer.from('outer:Test').toString('base64')}` })).status,
    ).toBe(401)
    expect((await post(address, { authorization: right, 'x-tenant': 'a' })).status).toBe(200)
    expect((await post(address, { authorization: right })).status).toBe(200)
    await eventually('both arrive', () => seen.length === 2 || undefined)
    const sent = seen.map((headers) => [headers['x-user'], headers['x-scope-orgid'], headers.authorization])
    expect(sent).toHaveLength(2)
    expect(sent).toContainEqual(['outer', 'a', 'Bearer engine-token'])
    expect(sent).toContainEqual(['outer', 'nobody', 'Bearer engine-token'])
    expect(await engine.stop()).toBe(0)
    expect(booksOf(engine)['traces']).toMatchObject({ accepted: 2, sent: 2, held: 0, failed: {}, dropped: {} })
    expect(engine.output()).not.toContain('engine-token')
  } finally {
    backend.close()
    backend.closeAllConnections()
  }
})

test('a clear-text gRPC exporter does not start with secrets', async () => {
  await expect(
    startSluice([
      'run',
      '--config',
      `yaml:${JSON.stringify({
        extensions: { bearertokenauth: { token: 'hidden' } },
        receivers: { otlp: { protocols: { http: { endpoint: '127.0.0.1:0' } } } },
        exporters: {
          otlp_grpc: { endpoint: '127.0.0.1:1', tls: { insecure: true }, auth: { authenticator: 'bearertokenauth' } },
        },
        service: {
          extensions: ['bearertokenauth'],
          telemetry: { metrics: { level: 'none' } },
          pipelines: { traces: { receivers: ['otlp'], exporters: ['otlp_grpc'] } },
        },
      })}`,
    ]),
  ).rejects.toThrow(
    /exporter otlp_grpc: auth\.authenticator: \\"bearertokenauth\\" gives its secrets to encrypted connections only; take tls\.insecure out/,
  )
})
