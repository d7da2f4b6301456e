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

for (const { peer, protocols, command } of CLIENTS) {
  const { skip, note } = needs(peer)
  describe.skipIf(skip)(`${peer.summary}${note}`, () => {
    test.each(
      protocols.flatMap((protocol) => [
        [protocol, 'none'],
        [protocol, 'gzip'],
      ]) as ['grpc' | 'http' | 'json', string][],
    )('by %s, compression %s: the files hold what was sent, field for field', async (protocol, compression) => {
      const file = join(folder, 'sluice.yaml')
      writeFileSync(file, config())
      const sluice = await startSluice(['run', file])
      // The server beside Sluice reads no JSON: it gets the same by protobuf.
      const transport = protocol === 'grpc' ? 'grpc' : 'http'
      const [program, ...args] = command()
      const printed = await runPeer(program, [
        ...args,
        compression,
        transport === 'grpc' ? `grpc=${direct.grpc}` : `http=${direct.http.slice('http://'.length)}`,
        `${protocol}=${sluice.address('receiver otlp', transport)}`,
      ])
      const counted = JSON.parse(printed) as unknown
      expect(await sluice.stop()).toBe(0)

      const sent = bySignal((signal) =>
        direct.received.filter((each) => each.signal === signal && each.by === transport).map(({ request }) => request),
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
    })
  })
}
