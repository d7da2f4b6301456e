import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import attributes from '../../processors/attributes/attributes.ts'
import type { PlainObject } from '../../src/otlp/plain-object.ts'
import { readProtobufjs, writeProtobufjs } from '../otlp/support/oracles.ts'
import { startRecordProcessor } from '../processors/support/run-record-processor.ts'
import { type Backend, startBackend } from '../support/backend.ts'
import { exportGrpc } from '../support/grpc-client.ts'
import { freePort } from '../support/ports.ts'
import { eventually } from '../support/sluice.ts'
import { otelcol } from './peers/registry.ts'
import { startCollector } from './support/collector.ts'
import { endPeers, needs } from './support/peers.ts'

// Every action on every kind of value, by contrib's attributes processor and by ours. What this does not prove: what
// happens to an attribute whose key comes twice, where ours leaves one (README.md of the processor says so).

const { skip, note } = needs(otelcol)

let folder: string
let backend: Backend

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-actions-'))
  backend = await startBackend()
})

afterEach(async () => {
  endPeers()
  await backend.stop()
  rmSync(folder, { recursive: true, force: true })
})

const TEXTS = ['', 'text', '42', '+7', '-0', '007', ' 1', '1_0', '9223372036854775807', '9223372036854775808']
const MORE_TEXTS = [
  '1.5',
  '1.',
  '.5',
  '1e3',
  '1e400',
  '1e-400',
  'inf',
  '-Infinity',
  'NaN',
  '-nan',
  '0x10',
  'true',
  'é<&>🐟',
]
const DOUBLES = [0, -0, 0.1, -1.9, 3, 1e20, 1e21, 1e-6, 1.5e-9, 5e-324, 2 ** 53, 9.2e18, Number.MAX_VALUE]
const INTS = [0n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]

const VALUES: PlainObject[] = [
  ...[...TEXTS, ...MORE_TEXTS].map((stringValue) => ({ stringValue })),
  ...DOUBLES.map((doubleValue) => ({ doubleValue })),
  { doubleValue: NaN },
  { doubleValue: Infinity },
  ...INTS.map((intValue) => ({ intValue })),
  { boolValue: true },
  { boolValue: false },
  { bytesValue: Uint8Array.of(0, 255, 128) },
  {
    arrayValue: {
      values: [{ stringValue: 'a"\n\u2028<é' }, { intValue: 1n }, { doubleValue: 0.5 }, { boolValue: true }],
    },
  },
  { arrayValue: { values: [{ doubleValue: NaN }] } },
  { kvlistValue: { values: ['b', 'a', 'é', '10', '9'].map((key) => ({ key, value: { stringValue: key } })) } },
]
// Maps have one key: Go writes several in random order.
const YAML_VALUES = ['text', '', 7, -2.5, true, ['a', 1, [false]], { a: { c: 'x' } }]

/** One attribute and one action for each combination, so that they do not disturb each other. */
function combinations(): { readonly attributes: PlainObject[]; readonly actions: object[] } {
  const attributes: PlainObject[] = []
  const actions: object[] = []
  const add = (name: string, value: PlainObject | undefined, action: object): void => {
    const key = `${name}.${actions.length}`
    if (value !== undefined) attributes.push({ key, value })
    actions.push({ key, ...action })
  }
  for (const value of VALUES) {
    for (const type of ['int', 'double', 'string']) {
      // Past 64 bits, what Go gives depends on the processor that it runs on.
      if (type === 'int' && typeof value.doubleValue === 'number' && !(Math.abs(value.doubleValue) < 2 ** 63)) continue
      add('convert', value, { action: 'convert', converted_type: type })
    }
    add('hash', value, { action: 'hash' })
    add('delete', value, { action: 'delete' })
    for (const action of ['insert', 'update', 'upsert']) {
      attributes.push({ key: `source.${actions.length}`, value })
      add('from', undefined, { action, from_attribute: `source.${actions.length}` })
    }
  }
  for (const value of YAML_VALUES) {
    for (const action of ['INSERT', 'update', 'Upsert']) {
      for (const before of [undefined, { stringValue: 'before' }]) {
        add('value', before, { action, value })
        add('default', before, { action, from_attribute: 'absent', default_value: value })
        add('none', before, { action, from_attribute: 'absent' })
      }
    }
  }
  return { attributes, actions }
}

function attributesOf(request: PlainObject): Record<string, unknown> {
  const [resource] = request.resourceSpans as PlainObject[]
  const [scope] = resource!.scopeSpans as PlainObject[]
  const [span] = scope!.spans as PlainObject[]
  return Object.fromEntries((span!.attributes as PlainObject[]).map(({ key, value }) => [key, value]))
}

describe.skipIf(skip)(`with the Go Collector${note}`, () => {
  test('the attributes processor does what contrib’s does', async () => {
    const { attributes: before, actions } = combinations()
    const request = writeProtobufjs('traces', {
      resourceSpans: [{ scopeSpans: [{ spans: [{ attributes: before }] }] }],
    })
    const port = await freePort()
    const collector = await startCollector(
      folder,
      'contrib',
      JSON.stringify({
        receivers: { otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${port}` } } } },
        processors: { attributes: { actions } },
        exporters: { otlp: { endpoint: backend.grpc, tls: { insecure: true } } },
        service: {
          telemetry: { metrics: { level: 'none' } },
          pipelines: { traces: { receivers: ['otlp'], processors: ['attributes'], exporters: ['otlp'] } },
        },
      }),
      port,
    )
    await exportGrpc(`127.0.0.1:${port}`, 'traces', request)
    const [theirs] = await eventually(`the request arrives\n${collector.output()}`, () =>
      backend.received.length > 0 ? backend.received : undefined,
    )
    const ours = (await startRecordProcessor(attributes, 'traces', { actions })).run(request)

    expect(Object.keys(attributesOf(theirs!.request)).length).toBeGreaterThan(400)
    expect(attributesOf(readProtobufjs('traces', ours!))).toEqual(attributesOf(theirs!.request))
  })
})
