import type { Server, Socket } from 'node:net'

/** What this thread serves, and whom. */
const servers = new Set<Server>()
const sockets = new Set<Socket>()

/** Remembers a server that listens, and its connections. */
export function remember(server: Server): void {
  servers.add(server)
  server.once('close', () => servers.delete(server))
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
}

/** Closes all of them at once and reads nothing more: the thread is about to end. */
export function dropAll(): void {
  for (const server of servers) server.close()
  for (const socket of sockets) socket.destroy()
}
