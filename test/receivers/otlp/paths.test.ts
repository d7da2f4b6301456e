import { expect, test } from 'vitest'
import { ack } from '../../../src/component/delivery.ts'
import type { Signal } from '../../../src/otlp/batch.ts'
import { someBatches } from '../../contract/support/data.ts'
import { postRaw } from './support/raw-clients.ts'
import { arrived, running } from './support/running.ts'

test('a signal comes at the path that is written, and no longer at the usual one', async () => {
  const { http, sink } = await running({
    grpc: false,
    http: { traces_url_path: '/t', metrics_url_path: '/m/in', logs_url_path: '/l' },
  })
  const rows: [Signal, string][] = [
    ['traces', '/t'],
    ['metrics', '/m/in'],
    ['logs', '/l'],
  ]
  for (const [i, [signal, path]] of rows.entries()) {
    const body = someBatches(signal, 1)[0]!.chunks[0]!
    const answer = postRaw(http, body, { path })
    await arrived(sink, i + 1)
    expect(sink.last.batch.signal).toBe(signal)
    ack(sink.last)
    expect((await answer).status).toBe(200)
    expect((await postRaw(http, body, { path: `/v1/${signal}` })).status).toBe(404)
  }
})
