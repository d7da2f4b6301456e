import * as http from 'node:http'
import * as net from 'node:net'

export interface TestProxy {
  readonly url: string
  /** `CONNECT host:port`, or the absolute URL that it was asked for; with credentials behind, where there were any. */
  readonly asked: string[]
  close(): void
}

/** An HTTP proxy on loopback that does as it is told, or answers every CONNECT with `refusal`. */
export async function testProxy(refusal?: number): Promise<TestProxy> {
  const asked: string[] = []
  const sockets = new Set<net.Socket>()
  const note = (what: string, authorization: string | undefined): void => {
    const credentials = authorization?.replace(/^Basic /, '')
    asked.push(credentials === undefined ? what : `${what} ${Buffer.from(credentials, 'base64').toString()}`)
  }
  const server = http.createServer((request, response) => {
    note(request.url!, request.headers['proxy-authorization'])
    const onward = http.request(request.url!, { method: request.method!, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    request.pipe(onward)
  })
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  server.on('connect', (request: http.IncomingMessage, socket: net.Socket, head: Buffer) => {
    note(`CONNECT ${request.url}`, request.headers['proxy-authorization'])
    if (refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal} No\r\n\r\n`)
      return
    }
    const [host = '', port] = request.url!.split(':')
    // Names of the tests are all on loopback.
    const onward = net.connect(Number(port), net.isIP(host) === 0 ? '127.0.0.1' : host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.write(head)
      onward.pipe(socket).pipe(onward)
    })
    sockets.add(onward)
    onward.on('error', () => socket.destroy())
    socket.on('error', () => onward.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    asked,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
