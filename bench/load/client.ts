import type { Answer } from './answer.ts'
import type { Body } from './bodies.ts'

/** Sends requests; each is answered by exactly one call of `done`. */
export interface Client {
  send(slot: number, body: Body, done: (answer: Answer) => void): void
  close(): void
}

/** How long a client waits if its load does not say. */
export const TIMEOUT_MS = 20_000
