import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readProtobufjs, writeProtobufjs } from '../otlp/support/oracles.ts'
import { type Books, booksOf } from '../support/books.ts'
import { exportGrpc } from '../support/grpc-client.ts'
import { bySignal, STABLE } from '../support/otlp-services.ts'
import { endAll, eventually, startSluice } from '../support/sluice.ts'
import { endPeers, needs } from './support/peers.ts'
import { readRecords } from './support/record-files.ts'
import { SINKS } from './support/sinks.ts'
import { differences, itemsOf, recordLines, richRequest } from './support/telemetry.ts'

// Requests with every field go through Sluice to servers in other languages, by an exporter for each compression that they take;
// what they read comes back as their own libraries write it. What this does not prove: that grpcio got what it read compressed
// as configured, which it does not tell; tonic does.

const REQUESTS = 5
const sent = bySignal((signal) =>
  Array.from({ length: REQUESTS }, (_, i) => writeProtobufjs(signal, richRequest(signal, String(i)))),
)

for (const { peer, takes, tells, start } of SINKS) {
  const { skip, note } = needs(peer)
  describe.skipIf(skip)(`${peer.summary}${note}`, () => {
    let folder: string
    let books: Readonly<Record<string, Books>>
    const written = (name: string, signal: string, ending: string): string =>
      join(folder, `${name}.${signal}.${ending}`)

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'sluice-sinks-'))
      const sink = await start(folder)
      const exporters = Object.fromEntries(
        takes.map(([protocol, compression]) => {
          const headers = { 'x-case': `${protocol}-${compression}` }
          return protocol === 'grpc'
            ? [`otlp_grpc/${compression}`, { endpoint: sink.grpc, tls: { insecure: true }, compression, headers }]
            : [`otlp_http/${compression}`, { endpoint: `http://${sink.http}`, compression, headers }]
        }),
      )
      const file = join(folder, 'sluice.yaml')
      writeFileSync(
        file,
        JSON.stringify({
          receivers: { otlp: { protocols: { grpc: { endpoint: '127.0.0.1:0' } } } },
          exporters,
          service: {
            telemetry: { metrics: { level: 'none' } },
            pipelines: bySignal(() => ({ receivers: ['otlp'], exporters: Object.keys(exporters) })),
          },
        }),
      )
      const sluice = await startSluice(['run', file])
      const address = sluice.address('receiver otlp', 'grpc')
      for (const signal of STABLE) {
        await Promise.all(sent[signal].map((request) => exportGrpc(address, signal, request)))
      }
      await eventually(
        `the sink has everything\n${sink.output()}\n${sluice.output()}`,
        () =>
          takes.every(([protocol, compression]) =>
            STABLE.every(
              (signal) => readRecords(signal, written(`${protocol}-${compression}`, signal, 'bin')).length >= REQUESTS,
            ),
          ) || undefined,
      )
      expect(await sluice.stop()).toBe(0)
      await sink.stop()
      books = booksOf(sluice)
    })

    afterAll(() => {
      endAll()
      endPeers()
      rmSync(folder, { recursive: true, force: true })
    })

    test.each(takes)('by %s, compression %s: it reads what was sent, field for field', (protocol, compression) => {
      for (const signal of STABLE) {
        const lines = recordLines(
          signal,
          sent[signal].map((request) => readProtobufjs(signal, request)),
        )
        const name = `${protocol}-${compression}`
        const arrived = recordLines(signal, readRecords(signal, written(name, signal, 'bin')))
        expect(differences(lines, arrived)).toEqual({ missing: [], unexpected: [] })
        const told = written(name, signal, 'encoding')
        expect(existsSync(told)).toBe(tells.includes(protocol))
        if (!tells.includes(protocol)) continue
        expect(readFileSync(told, 'utf8')).toBe(`${compression}\n`.repeat(REQUESTS))
      }
    })

    test.each(STABLE)('%s: the books say that every exporter sent every item', (signal) => {
      const items = itemsOf(
        signal,
        sent[signal].map((request) => readProtobufjs(signal, request)),
      )
      expect(books[signal]).toMatchObject({ accepted: items, sent: items, held: 0 })
    })
  })
}
