import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { booksOf } from '../support/books.ts'
import { bySignal, STABLE, type Stable } from '../support/otlp-services.ts'
import { endAll, startSluice } from '../support/sluice.ts'
import { type Certificates, makeCertificates } from '../transport/support/certificates.ts'
import { pathOf } from './peers/peer.ts'
import { telemetrygen } from './peers/registry.ts'
import { endPeers, needs, runPeer } from './support/peers.ts'
import { readRecords } from './support/record-files.ts'
import { itemsOf, recordLines } from './support/telemetry.ts'

// What telemetrygen says it sends is what the files hold, to the item. What this does not prove: what is in an item, but for the
// attributes that telemetrygen was told to give it.

let folder: string
let certificates: Certificates

beforeAll(() => {
  certificates = makeCertificates()
})

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-telemetrygen-'))
})

afterEach(() => {
  endAll()
  endPeers()
  rmSync(folder, { recursive: true, force: true })
})

afterAll(() => certificates.remove())

const WORKERS = 2
/** What each worker is told to send, and how many items that makes. */
const SENT: Readonly<Record<Stable, { readonly args: readonly string[]; readonly items: number }>> = {
  // Every trace is a root and its children.
  traces: { args: ['--traces=40', '--child-spans=3', '--span-links=1', '--status-code=Error'], items: 40 * (1 + 3) },
  metrics: { args: ['--metrics=30', '--metric-type=Histogram'], items: 30 },
  logs: { args: ['--logs=50', '--body=card refused', '--severity-text=ERROR'], items: 50 },
}
const ATTRIBUTES = ['--otlp-attributes=deployment="interop"', '--telemetry-attributes=user.id="7"']

const { skip, note } = needs(telemetrygen)
describe.skipIf(skip)(`${telemetrygen.summary}${note}`, () => {
  test.each([
    ['grpc', 'plain text'],
    ['grpc', 'mTLS'],
    ['http', 'plain text'],
    ['http', 'mTLS'],
  ] as const)('by %s, %s: every item arrives', async (protocol, security) => {
    const { ca, server, client } = certificates
    const fileOf = (signal: Stable): string => join(folder, `${signal}.bin`)
    const tls = { cert_file: server.cert, key_file: server.key, client_ca_file: ca }
    const settings = { endpoint: '127.0.0.1:0', ...(security === 'mTLS' && { tls }) }
    const config = join(folder, 'sluice.yaml')
    writeFileSync(
      config,
      JSON.stringify({
        receivers: { otlp: { protocols: { [protocol]: settings } } },
        exporters: Object.fromEntries(
          STABLE.map((signal) => [`file/${signal}`, { path: fileOf(signal), format: 'proto' }]),
        ),
        service: {
          telemetry: { metrics: { level: 'none' } },
          pipelines: bySignal((signal) => ({ receivers: ['otlp'], exporters: [`file/${signal}`] })),
        },
      }),
    )
    const sluice = await startSluice(['run', config])
    const secured = [`--ca-cert=${ca}`, '--mtls', `--client-cert=${client.cert}`, `--client-key=${client.key}`]
    const common = [
      `--otlp-endpoint=${sluice.address('receiver otlp', protocol)}`,
      `--workers=${WORKERS}`,
      '--rate=0',
      ...(protocol === 'http' ? ['--otlp-http'] : []),
      ...(security === 'mTLS' ? secured : ['--otlp-insecure']),
      ...ATTRIBUTES,
    ]
    for (const signal of STABLE) await runPeer(pathOf(telemetrygen), [signal, ...SENT[signal].args, ...common])
    expect(await sluice.stop()).toBe(0)

    const books = booksOf(sluice)
    for (const signal of STABLE) {
      const items = WORKERS * SENT[signal].items
      const arrived = readRecords(signal, fileOf(signal))
      expect(itemsOf(signal, arrived)).toBe(items)
      for (const line of recordLines(signal, arrived)) {
        expect(line).toContain('{"key":"deployment","value":{"stringValue":"interop"}}')
        expect(line).toContain('{"key":"user.id","value":{"stringValue":"7"}}')
      }
      expect(books[signal]).toMatchObject({ accepted: items, sent: items, held: 0 })
    }
  })
})
