import { afterEach } from 'vitest'
import { type HttpClientOptions, httpClient } from '../../../src/transport/http-client.ts'
import type { CallResult, Client } from '../../../src/transport/unary.ts'

const clients: Client[] = []
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
})

/** A client that sends traces to `url`, closed after the test. */
export function client(url: string, options: Partial<HttpClientOptions> = {}): Client {
  const made = httpClient({
    urls: { traces: url },
    contentType: 'application/x-protobuf',
    userAgent: 'sluice-test',
    now: () => Date.now(),
    ...options,
  })
  clients.push(made)
  return made
}

export function send(one: Client, body = Uint8Array.of(1, 2), timeoutMs = 5000): Promise<CallResult> {
  return one.call('traces', [body], { timeoutMs })
}
