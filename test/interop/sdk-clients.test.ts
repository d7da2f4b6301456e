import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PlainObject } from '../../src/otlp/plain-object.ts'
import { startBackend } from '../support/backend.ts'
import { type Books, booksOf } from '../support/books.ts'
import { bySignal, STABLE, type Stable } from '../support/otlp-services.ts'
import { endAll, startSluice } from '../support/sluice.ts'
import { CLIENTS } from './support/clients.ts'
import { endPeers, needs, runPeer } from './support/peers.ts'
import { readRecords } from './support/record-files.ts'
import { differences, itemsOf, recordLines } from './support/telemetry.ts'

// SDKs of other languages send the same spans, metrics and records several times: once straight to a server that shares no
// code with Sluice, and by every protocol and compression that they have through Sluice to files. What this does not prove:
// anything about retries, or that what an SDK calls gzip was not sent as it is.

for (const { peer, protocols, command } of CLIENTS) {
  const { skip, note } = needs(peer)
  const ways = protocols.flatMap((protocol) => [
    { name: `${protocol}-none`, protocol, compression: 'none' },
    { name: `${protocol}-gzip`, protocol, compression: 'gzip' },
  ])

  describe.skipIf(skip)(`${peer.summary}${note}`, () => {
    let folder: string
    let sent: Readonly<Record<Stable, PlainObject[]>>
    let counted: unknown
    let books: Readonly<Record<string, Books>>
    const fileOf = (signal: Stable, way: string): string => join(folder, `${signal}-${way}.bin`)

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'sluice-clients-'))
      const each = <T>(make: (signal: Stable, way: string) => T): [string, T][] =>
        ways.flatMap(({ name }) => STABLE.map((signal) => [`${signal}/${name}`, make(signal, name)] as [string, T]))
      const config = join(folder, 'sluice.yaml')
      writeFileSync(
        config,
        JSON.stringify({
          receivers: Object.fromEntries(
            ways.map(({ name, protocol }) => {
              const transport = protocol === 'grpc' ? 'grpc' : 'http'
              return [`otlp/${name}`, { protocols: { [transport]: { endpoint: '127.0.0.1:0' } } }]
            }),
          ),
          exporters: Object.fromEntries(
            each((signal, way) => ({ path: fileOf(signal, way), format: 'proto' })).map(([id, file]) => [
              `file/${id.replace('/', '-')}`,
              file,
            ]),
          ),
          service: {
            telemetry: { metrics: { level: 'none' } },
            pipelines: Object.fromEntries(
              each((signal, way) => ({ receivers: [`otlp/${way}`], exporters: [`file/${signal}-${way}`] })),
            ),
          },
        }),
      )
      const direct = await startBackend()
      const sluice = await startSluice(['run', config])
      const [program, ...args] = command()
      const targets = ways.map(({ name, protocol, compression }) => {
        const address = sluice.address(`receiver otlp/${name}`, protocol === 'grpc' ? 'grpc' : 'http')
        return `${compression}:${protocol}=${address}`
      })
      counted = JSON.parse(await runPeer(program, [...args, `none:grpc=${direct.grpc}`, ...targets]))
      expect(await sluice.stop()).toBe(0)
      await direct.stop()
      books = booksOf(sluice)
      sent = bySignal((signal) =>
        direct.received.filter((request) => request.signal === signal).map(({ request }) => request),
      )
    })

    afterAll(() => {
      endAll()
      endPeers()
      rmSync(folder, { recursive: true, force: true })
    })

    test('what came straight to the server is what the client says it sent', () => {
      expect(bySignal((signal) => recordLines(signal, sent[signal]).length)).toEqual(counted)
    })

    test.each(ways)('by $protocol, compression $compression: the files hold the same, field for field', ({ name }) => {
      for (const signal of STABLE) {
        const arrived = recordLines(signal, readRecords(signal, fileOf(signal, name)))
        expect(differences(recordLines(signal, sent[signal]), arrived)).toEqual({ missing: [], unexpected: [] })
        const items = itemsOf(signal, sent[signal])
        expect(books[`${signal}/${name}`]).toMatchObject({ accepted: items, sent: items, held: 0 })
      }
    })
  })
}
