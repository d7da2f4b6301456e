import type { IncomingMessage, ServerResponse } from 'node:http'

/** What a client that was answered before it sent everything gets to send the rest, which nobody reads. */
const LINGER_MS = 1000

/** Answers `request`, also where its body has not come whole and nobody wants the rest. */
export function respond(
  request: IncomingMessage,
  response: ServerResponse,
  httpStatus: number,
  type: string,
  body: Uint8Array | string,
): void {
  response.statusCode = httpStatus
  response.setHeader('content-type', type)
  response.setHeader('content-length', Buffer.byteLength(body))
  if (request.complete) response.end(body)
  // Such a client sends nothing once it is answered, so that what comes next could not be told from its body.
  else if (request.headers.expect !== undefined) response.setHeader('connection', 'close').end(body)
  else respondEarly(request, response, body)
}

/**
 * Many clients send first and read then. Closing a connection on them resets it, they see a failed write and never the
 * answer, and come again with what was refused for good. So the rest is read and dropped for a while.
 */
function respondEarly(request: IncomingMessage, response: ServerResponse, body: Uint8Array | string): void {
  const { socket } = request
  const last = !response.shouldKeepAlive
  // Else Node ends the connection together with the answer.
  response.shouldKeepAlive = true
  response.end(body)
  request.resume()
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  timer.unref()
  const settled = (): void => clearTimeout(timer)
  socket.once('close', settled)
  request.once('end', () => {
    settled()
    // The connection may see thousands of refusals.
    socket.removeListener('close', settled)
    if (last) socket.destroySoon()
  })
}
