import type { ServerHttp2Session } from 'node:http2'
import type { Supervision } from './grpc-server-keepalive.ts'

/** The connections of a server, the newest last, with what counts their calls where something does. */
export type Sessions = ReadonlyMap<ServerHttp2Session, Supervision | undefined>

/** Asks some of the connections of a gRPC server to go. */
export class Farewells {
  readonly #sessions: Sessions
  readonly #leaving = new Set<ServerHttp2Session>()

  constructor(sessions: Sessions) {
    this.#sessions = sessions
  }

  /** Sends GOAWAY to the newest, those first that have nothing under way, until `count` are about to leave. */
  part(count: number): void {
    for (const session of this.#leaving) if (!this.#sessions.has(session)) this.#leaving.delete(session)
    const rest = [...this.#sessions].filter(([session]) => !this.#leaving.has(session)).reverse()
    const idle = rest.filter(([, supervision]) => supervision?.open === 0)
    const busy = rest.filter(([, supervision]) => supervision?.open !== 0)
    for (const [session] of [...idle, ...busy].slice(0, Math.max(0, count - this.#leaving.size))) {
      this.#leaving.add(session)
      session.close()
    }
  }
}
