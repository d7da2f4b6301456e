import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Backend, startBackend } from '../support/backend.ts'
import { booksOf } from '../support/books.ts'
import { bySignal, STABLE, type Stable } from '../support/otlp-services.ts'
import { endAll, startSluice } from '../support/sluice.ts'
import { CLIENTS } from './support/clients.ts'
import { endPeers, needs, runPeer } from './support/peers.ts'
import { readRecords } from './support/record-files.ts'
import { differences, itemsOf, recordLines } from './support/telemetry.ts'

// SDKs of other languages send the same spans, metrics and records twice, once straight to a server that shares no code with
// Sluice and once through Sluice to files. What this does not prove: anything about retries, or that what an SDK calls gzip
// was not sent as it is.

let folder: string
let direct: Backend

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-clients-'))
  direct = await startBackend()
})

afterEach(async () => {
  endAll()
  endPeers()
  await direct.stop()
  rmSync(folder, { recursive: true, force: true })
})

const fileOf = (signal: Stable): string => join(folder, `${signal}.bin`)

const config = (): string => `
receivers:
  otlp:
    protocols:
      grpc: {endpoint: 127.0.0.1:0}
      http: {endpoint: 127.0.0.1:0}
exporters:
${STABLE.map((signal) => `  file/${signal}: {path: ${fileOf(signal)}, format: proto}`).join('\n')}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
${STABLE.map((signal) => `    ${signal}: {receivers: [otlp], exporters: [file/${signal}]}`).join('\n')}
`

for (const { peer, command } of CLIENTS) {
  const { skip, note } = needs(peer)
  describe.skipIf(skip)(`${peer.summary}${note}`, () => {
    test.each([
      ['grpc', 'none'],
      ['grpc', 'gzip'],
      ['http', 'none'],
      ['http', 'gzip'],
    ] as const)(
      'by %s, compression %s: the files hold what was sent, field for field',
      async (protocol, compression) => {
        const file = join(folder, 'sluice.yaml')
        writeFileSync(file, config())
        const sluice = await startSluice(['run', file])
        const targets = [
          protocol === 'grpc' ? direct.grpc : direct.http.slice('http://'.length),
          sluice.address('receiver otlp', protocol),
        ]
        const [program, ...args] = command()
        const counted = JSON.parse(await runPeer(program, [...args, protocol, compression, ...targets])) as unknown
        expect(await sluice.stop()).toBe(0)

        const sent = bySignal((signal) =>
          direct.received
            .filter((each) => each.signal === signal && each.by === protocol)
            .map(({ request }) => request),
        )
        const books = booksOf(sluice)
        for (const signal of STABLE) {
          const lines = recordLines(signal, sent[signal])
          expect(differences(lines, recordLines(signal, readRecords(signal, fileOf(signal))))).toEqual({
            missing: [],
            unexpected: [],
          })
          const items = itemsOf(signal, sent[signal])
          expect(books[signal]).toMatchObject({ accepted: items, sent: items, held: 0 })
        }
        expect(bySignal((signal) => recordLines(signal, sent[signal]).length)).toEqual(counted)
      },
    )
  })
}
