/** The sink's own HTTP/1.1 server against node:http and undici, and byte by byte. */
import { once } from 'node:events'
import { Agent, type RequestOptions, request as send } from 'node:http'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { request as undici } from 'undici'
import { afterEach, describe, expect, test } from 'vitest'
import { Sink } from '../../bench/load/sink.ts'
import { request, type Shape } from '../../bench/payload/payload.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function listen(itemsPerSecond?: number): Promise<{ sink: Sink; port: number }> {
  const sink = new Sink({ protocol: 'http', ...(itemsPerSecond !== undefined && { itemsPerSecond }) })
  cleanups.push(() => sink.close())
  const port = await sink.listen()
  sink.limit()
  return { sink, port }
}

const SPANS: Shape = { signal: 'traces', items: 10, itemBytes: 812, full: true }
const BODY = Buffer.from(request(SPANS, 1))

/** Sends by node:http; `pieces` are chunks where no length is given. */
async function post(options: RequestOptions, pieces: readonly Buffer[]): Promise<number> {
  const outgoing = send({ method: 'POST', path: '/v1/traces', host: '127.0.0.1', ...options })
  for (const piece of pieces) outgoing.write(piece)
  outgoing.end()
  const [response] = await once(outgoing, 'response')
  response.resume()
  await once(response, 'end')
  return response.statusCode
}

describe('bodies', () => {
  test('of a length, in chunks, asked for, compressed, of each signal', async () => {
    const { sink, port } = await listen()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    cleanups.push(() => agent.destroy())
    const to = { port, agent }
    const halves = [BODY.subarray(0, 3000), BODY.subarray(3000)]
    expect(await post({ ...to, headers: { 'Content-Length': BODY.length } }, halves)).toBe(200)
    expect(await post(to, halves)).toBe(200)
    expect(await post({ ...to, headers: { 'content-length': BODY.length, expect: '100-continue' } }, halves)).toBe(200)
    expect(await post({ ...to, headers: { 'content-encoding': 'gzip' } }, [gzipSync(BODY)])).toBe(200)
    expect([sink.items, sink.requests, sink.failures]).toEqual([40, 4, []])
    const logs = Buffer.from(request({ ...SPANS, signal: 'logs', items: 7, itemBytes: 333 }, 1))
    expect(await post({ ...to, path: '/v1/logs' }, [logs])).toBe(200)
    expect([sink.items, sink.requests, sink.failures]).toEqual([47, 5, []])
  })

  test('by undici', async () => {
    const { sink, port } = await listen()
    const large = Buffer.from(request({ ...SPANS, items: 3000 }, 1))
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => undici(`http://127.0.0.1:${port}/v1/traces`, { method: 'POST', body: large })),
    )
    for (const { statusCode, body } of answers) expect([statusCode, await body.text()]).toEqual([200, ''])
    expect([sink.items, sink.failures]).toEqual([24_000, []])
  })

  test('wherever the reads of the socket end', async () => {
    const { sink, port } = await listen()
    const chunk = (bytes: Buffer): Buffer =>
      Buffer.concat([Buffer.from(`${bytes.length.toString(16)};name=value\r\n`), bytes, Buffer.from('\r\n')])
    const wire = Buffer.concat([
      Buffer.from(`POST /v1/traces HTTP/1.1\r\nHost: x\r\ncontent-length:${BODY.length}\r\n\r\n`),
      BODY,
      Buffer.from('POST /v1/traces HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: x\r\n\r\n'),
      chunk(BODY.subarray(0, 5000)),
      chunk(BODY.subarray(5000)),
      Buffer.from('0\r\nTrailer: value\r\n\r\n'),
      Buffer.from('POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'),
    ])
    let runs = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 }), async (sizes) => {
        const socket = connect({ port, host: '127.0.0.1', noDelay: true })
        let answers = ''
        socket.on('data', (bytes) => {
          answers += bytes.toString()
        })
        for (let at = 0, i = 0; at < wire.length; i++) {
          const size = sizes[i % sizes.length]!
          socket.write(wire.subarray(at, at + size))
          // Else the socket joins them.
          if (i < 20) await new Promise((resolve) => setImmediate(resolve))
          at += size
        }
        runs++
        await expect.poll(() => answers.split('HTTP/1.1 200 OK').length - 1).toBe(3)
        socket.destroy()
        expect([sink.items, sink.requests, sink.failures]).toEqual([runs * 20, runs * 3, []])
      }),
      { seed: 9112, numRuns: 20 },
    )
  })
})

test('a client that leaves before its turn is neither counted nor answered', async () => {
  const { sink, port } = await listen(50)
  const socket = connect(port, '127.0.0.1')
  socket.write(`POST /v1/traces HTTP/1.1\r\nContent-Length: ${BODY.length}\r\n\r\n`)
  socket.write(BODY)
  await new Promise((resolve) => setTimeout(resolve, 20))
  socket.destroy()
  await post({ port, agent: false }, [BODY])
  expect([sink.items, sink.requests, sink.failures]).toEqual([10, 1, []])
})

test.each([
  ['GET / HTTP/1.1\r\n\r\n', 'sink: a request that begins with "GET / HTTP/1.1"'],
  ['x'.repeat(70_000), 'sink: a head of more than 65536 bytes'],
  ['POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n', 'sink: a chunk of "x" bytes'],
  ['POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n', 'sink: "b" behind a chunk'],
])('what is no request ends the connection', async (text, failure) => {
  const { sink, port } = await listen()
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.resume().write(text)
  await once(socket, 'close')
  expect(sink.failures).toEqual([failure])
})
