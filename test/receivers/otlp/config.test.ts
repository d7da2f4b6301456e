import { describe, expect, test } from 'vitest'
import definition from '../../../receivers/otlp/otlp.ts'
import { checked, configured } from '../../transport/support/configured.ts'

describe('the configuration', () => {
  test.each<[object, string]>([
    [{}, 'protocols: must specify at least one protocol when using the OTLP receiver; add "grpc:" or "http:" below it'],
    [
      { protocols: { grpc: { endpoint: 'localhost' } } },
      'protocols.grpc.endpoint: expected host:port with a port from 0 to 65535, got "localhost"; the port is missing',
    ],
    [
      { protocols: { http: { endpoint: 'http://localhost:4318' } } },
      'protocols.http.endpoint: expected host:port with a port from 0 to 65535, got "http://localhost:4318"; leave out the scheme',
    ],
    [
      { protocols: { http: { endpoint: '::1:4318' } } },
      'protocols.http.endpoint: expected host:port with a port from 0 to 65535, got "::1:4318"; an IPv6 address needs brackets: "[::1]:4317"',
    ],
    [
      { protocols: { grpc: { endpoint: '', transport: 'unix' } } },
      'protocols.grpc.endpoint: expected the path of a socket, got nothing',
    ],
  ])('%j', (config, problem) => {
    expect(checked(definition, config).problems).toEqual([problem])
  })

  test("has the Collector's defaults under a bare key", () => {
    const { protocols } = configured(definition, { protocols: { grpc: null, http: null } })
    expect(protocols.grpc).toMatchObject({ endpoint: 'localhost:4317', transport: 'tcp', max_recv_msg_size_mib: 4 })
    expect(protocols.http).toMatchObject({
      endpoint: 'localhost:4318',
      max_request_body_size: 20_971_520,
      traces_url_path: '/v1/traces',
      read_header_timeout: 60_000,
      write_timeout: 30_000,
      idle_timeout: 60_000,
      keep_alives_enabled: true,
    })
  })

  test('enables only the protocol that is there', () => {
    const { protocols } = configured(definition, { protocols: { http: null } })
    expect(protocols.grpc).toBeUndefined()
  })

  test('refuses a coding that the Collector does not have', () => {
    const problems = checked(definition, { protocols: { http: { compression_algorithms: ['br'] } } }).problems
    expect(problems.join()).toMatch(/compression_algorithms.*got "br"/)
  })
})
