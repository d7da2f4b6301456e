import { expect, test } from 'vitest'
import { referenceTable } from '../../src/config/reference.ts'
import { registry } from './support/components.ts'

test('every option has a row, and what does not work has its reason', () => {
  expect(referenceTable(registry.find('receiver', 'otlp')!)).toBe(`| key | type | default |  |
|---|---|---|---|
| \`protocols\` | section | **required** | What it listens to. |
| \`protocols.grpc\` | section | off | OTLP/gRPC. |
| \`protocols.grpc.endpoint\` | string | \`localhost:4317\` | Address to listen on. |
| \`protocols.grpc.tls\` | section | off | Encryption. |
| \`protocols.grpc.tls.insecure\` | true, false | \`false\` | Sends in the clear. |
| \`protocols.grpc.tls.cert_file\` | string |  | A certificate. |
| \`protocols.grpc.tls.key_file\` | string |  | Its key. |
| \`protocols.http\` | section | off | OTLP/HTTP. |
| \`protocols.http.endpoint\` | string | \`localhost:4318\` | Address to listen on. |
| \`protocols.http.max_body_mib\` | number, 0.5 to 1024 | \`20\` | Largest body. |

Taken, because configurations have it, without effect:

| key | why |
|---|---|
| \`protocols.grpc.read_buffer_size\` | Node sizes its buffers itself |

Not supported, refused by name:

| key | why |
|---|---|
| \`protocols.grpc.tls.reload_interval\` | Files are read once |`)
})

test('lists and mappings show what is in them', () => {
  const table = referenceTable(registry.find('processor', 'attributes')!)
  expect(table).toContain('| `actions` | list of sections, at least 1 | **required** | In order. |')
  expect(table).toContain('| `actions[].action` | `insert`, `update`, `upsert`, `delete` | **required** | What. |')
  const exporter = referenceTable(registry.find('exporter', 'otlp')!)
  expect(exporter).toContain('| `timeout` | duration, 1ms to 1m | `5s` |')
  expect(exporter).toContain('| `token` | string, never shown |  |')
  expect(exporter).toContain('| `sending_queue` | section | on |')
})

test('a component without options says so', () => {
  expect(referenceTable(registry.find('connector', 'forward')!)).toBe('It has no options.')
})
