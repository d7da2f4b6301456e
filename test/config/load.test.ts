import { expect, test } from 'vitest'
import { formatProblem } from '../../src/config/problem.ts'
import { ownTelemetry } from '../support/own-telemetry.ts'
import { lines, load, loadText, SMALLEST } from './support/components.ts'

test('the smallest configuration is filled with every default', async () => {
  const { config, problems, warnings, notes } = await loadText(SMALLEST)
  expect({ problems, warnings, notes }).toStrictEqual({ problems: [], warnings: [], notes: [] })
  expect(config).toStrictEqual({
    receivers: {
      otlp: {
        id: 'otlp',
        type: 'otlp',
        config: { protocols: { grpc: { endpoint: 'localhost:4317' } } },
        used: true,
      },
    },
    processors: {},
    exporters: {
      debug: { id: 'debug', type: 'debug', config: { verbosity: 'basic', sampling_initial: 2 }, used: true },
    },
    connectors: {},
    extensions: {},
    service: {
      pipelines: [{ id: 'traces', signal: 'traces', receivers: ['otlp'], processors: [], exporters: ['debug'] }],
      extensions: [],
      telemetry: ownTelemetry(),
      admission: { limitMib: undefined, limitPercentage: undefined },
      lanes: 'auto',
      laneRestartsPerMinute: 5,
      shutdownTimeoutMs: 30_000,
      featureGates: ['service.profilesSupport'],
    },
    secrets: [],
  })
})

test('what is loaded crosses threads unchanged', async () => {
  const { config } = await loadText(SMALLEST)
  expect(structuredClone(config)).toStrictEqual(config)
})

test('a section without a default is off until its key is there; an empty key switches it on', async () => {
  const { config } = await loadText(`
receivers:
  otlp/bare: {protocols: {grpc: {tls: }, http: {}}}
  otlp/off: {protocols: }
exporters: {debug: }
service: {pipelines: {traces: {receivers: [otlp/bare, otlp/off], exporters: [debug], processors: }}}
`)
  expect(config?.receivers['otlp/bare']?.config).toStrictEqual({
    protocols: {
      grpc: { endpoint: 'localhost:4317', tls: { insecure: false } },
      http: { endpoint: 'localhost:4318', max_body_mib: 20 },
    },
  })
  expect(config?.receivers['otlp/off']?.config).toStrictEqual({ protocols: {} })
})

test('an empty option is its default', async () => {
  const { config } = await loadText(`
receivers: {otlp: {protocols: {grpc: {endpoint: }}}}
processors: {batch: {send_batch_size: , timeout: null, metadata_keys: ~}}
exporters: {otlp: {endpoint: a:1, headers: , compression: , sending_queue: {enabled: }, tls: }}
service: {pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [otlp]}}}
`)
  expect(config?.receivers['otlp']?.config).toStrictEqual({ protocols: { grpc: { endpoint: 'localhost:4317' } } })
  expect(config?.processors['batch']?.config).toStrictEqual({
    send_batch_size: 8192,
    timeout: 200,
    metadata_keys: [],
  })
  expect(config?.exporters['otlp']?.config).toStrictEqual({
    endpoint: 'a:1',
    headers: {},
    compression: 'gzip',
    timeout: 5000,
    tls: { insecure: false },
    sending_queue: { enabled: true, queue_size: 1000 },
  })
})

test('anchors, aliases and merge keys', async () => {
  const { config } = await loadText(`
receivers: {otlp: {protocols: {grpc: }}}
exporters:
  otlp/a: &base
    endpoint: a:1
    timeout: 1s
    headers: &headers {x: y}
  otlp/b:
    <<: *base
    endpoint: b:2
  otlp/c:
    <<: [{timeout: 3s}, *base]
    headers: *headers
service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp/a, otlp/b, otlp/c]}}}
`)
  expect(config?.exporters['otlp/b']?.config).toMatchObject({ endpoint: 'b:2', timeout: 1000, headers: { x: 'y' } })
  expect(config?.exporters['otlp/c']?.config).toMatchObject({ endpoint: 'a:1', timeout: 3000, headers: { x: 'y' } })
})

test('a mistake behind an alias is placed where it was written', async () => {
  const loaded = await loadText(`
receivers: {otlp: {protocols: {grpc: }}}
exporters:
  otlp/a: {endpoint: a:1, sending_queue: &queue {queue_size: 0}}
  otlp/b: {endpoint: b:1, sending_queue: *queue}
service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp/a, otlp/b]}}}
`)
  expect(lines(loaded).map((line) => line.split('  ')[0])).toStrictEqual(['yaml:4:62', 'yaml:4:62'])
})

test('both spellings of a type are one component, and ids stay as they are written', async () => {
  const { config, warnings } = await loadText(`
receivers: {otlp: {protocols: {grpc: }}}
exporters: {otlp/x: {endpoint: a:1}, otlp_grpc/x: {endpoint: b:1}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp/x, otlp_grpc/x]}}}
`)
  expect(config?.exporters['otlp/x']).toMatchObject({ type: 'otlp_grpc', config: { endpoint: 'a:1' } })
  expect(config?.exporters['otlp_grpc/x']).toMatchObject({ type: 'otlp_grpc', config: { endpoint: 'b:1' } })
  expect(warnings.map(formatProblem)).toStrictEqual([
    'yaml:3:13  exporters.otlp/x: "otlp" is the old name of the exporter "otlp_grpc"; both work, and an id is used as it is written  (CONFIG_DEPRECATED)',
  ])
})

test('what nothing refers to is checked, kept, and not used', async () => {
  const { config, warnings } = await loadText(`${SMALLEST}
processors: {batch: }
extensions: {health_check: }
`)
  expect(config?.processors['batch']?.used).toBe(false)
  expect(warnings.map(({ path, code }) => [path, code])).toStrictEqual([
    ['processors.batch', 'CONFIG_UNUSED'],
    ['extensions.health_check', 'CONFIG_UNUSED'],
  ])
  const broken = await loadText(`${SMALLEST}\nprocessors: {batch: {timeout: 5}}`)
  expect(broken.problems.map(({ code }) => code)).toStrictEqual(['CONFIG_TYPE'])
})

test('options without effect are noted', async () => {
  const { config, notes } = await loadText(`
receivers: {otlp: {protocols: {grpc: {read_buffer_size: 524288}}}}
exporters: {debug: }
service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}
`)
  expect(config?.receivers['otlp']?.config).toStrictEqual({ protocols: { grpc: { endpoint: 'localhost:4317' } } })
  expect(notes.map(formatProblem)).toStrictEqual([
    'yaml:2:39  receivers.otlp.protocols.grpc.read_buffer_size: has no effect: Node sizes its buffers itself  (CONFIG_NO_EFFECT)',
  ])
})

test('connectors join pipelines, also of different signals', async () => {
  const { config, problems } = await loadText(`
receivers: {otlp: {protocols: {grpc: }}}
exporters: {debug: }
connectors: {forward: , count: }
service:
  pipelines:
    traces/in: {receivers: [otlp], exporters: [forward, count]}
    traces/out: {receivers: [forward], exporters: [debug]}
    metrics: {receivers: [count], exporters: [debug]}
`)
  expect(problems).toStrictEqual([])
  expect(config?.connectors).toMatchObject({ forward: { used: true }, count: { used: true } })
})

test('a receiver twice in one pipeline counts once, and that is a warning', async () => {
  const { config, warnings } = await loadText(SMALLEST.replace('[otlp]', '[otlp, otlp]'))
  expect(config?.service.pipelines[0]?.receivers).toStrictEqual(['otlp'])
  expect(warnings.map(({ code }) => code)).toStrictEqual(['CONFIG_REFERENCE'])
})

test('own telemetry: level, encoding, reader and resource', async () => {
  const telemetry = async (text: string): Promise<unknown> =>
    (await load({ config: [`yaml:${SMALLEST}`, `yaml:service: {telemetry: ${text}}`] })).config?.service.telemetry
  expect(
    await telemetry(
      '{logs: {level: WARN, encoding: json, initial_fields: {a: 1}}, metrics: {readers: [{pull: {exporter: {prometheus: {host: 0.0.0.0, port: 0, without_units: true}}}}]}, resource: {service.name: x, host.name: }}',
    ),
  ).toMatchObject({
    logs: { level: 'warn', encoding: 'json', initial_fields: { a: 1 }, output_paths: ['stderr'] },
    metrics: { level: 'normal', readers: [{ pull: { exporter: { prometheus: { host: '0.0.0.0', port: 0 } } } }] },
    resource: { 'service.name': 'x', 'host.name': null },
  })
  expect(await telemetry('{metrics: {address: ":8889"}}')).toMatchObject({
    metrics: { readers: [{ pull: { exporter: { prometheus: { host: '0.0.0.0', port: 8889 } } } }] },
  })
  expect(await telemetry('{metrics: {level: none, readers: []}}')).toMatchObject({
    metrics: { level: 'none', readers: [] },
  })
})

test('keys that are names of object properties are keys like any other', async () => {
  const { problems } = await loadText(`
receivers: {otlp: {protocols: {grpc: }}, constructor: , __proto__: }
exporters: {debug: {toString: 1}, otlp: {endpoint: a:1, headers: {__proto__: x}}}
hasOwnProperty: 1
service: {pipelines: {traces: {receivers: [otlp, valueOf], exporters: [debug]}}}
`)
  expect(problems.map(({ path, code }) => [path, code])).toStrictEqual([
    ['receivers.constructor', 'CONFIG_UNKNOWN_TYPE'],
    ['receivers.__proto__', 'CONFIG_ID'],
    ['exporters.debug.toString', 'CONFIG_UNKNOWN_KEY'],
    ['hasOwnProperty', 'CONFIG_UNKNOWN_KEY'],
    ['service.pipelines.traces.receivers[1]', 'CONFIG_REFERENCE'],
  ])
})
