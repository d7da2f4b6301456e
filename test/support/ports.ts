import { connect, createServer } from 'node:net'

// Below the ports that systems give to connections and to whoever listens on port 0 (Linux from 32768, others from 49152):
// out of those, a port that was free is often somebody's a moment later, here or in a test that runs beside.
const FIRST = 20_000
const COUNT = 10_000

const given = new Set<number>()

/** A port that was free a moment ago on all addresses and is given once, for programs that do not say where port 0 took them. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT)
    if (given.has(port)) continue
    given.add(port)
    if (await isFree(port)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return await new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen({ port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** True where somebody on 127.0.0.1 takes connections on `port` now. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
