import { dropAll } from '../transport/open-sockets.ts'

/**
 * Ends this thread as soon as it is safe, whatever there is. Ended at any other moment, by a throw that nobody catches,
 * `process.exit` or from outside, the event loop reads on for a turn in which no JavaScript runs; then node:http2's native half meets
 * data of streams whose JavaScript half is never made, and Node 24 aborts the whole process (`onread->IsFunction()`,
 * nodejs/node#38418). So sockets are closed first, and not from within a call that one of them makes.
 */
export function endThread(): void {
  setImmediate(() => {
    try {
      dropAll()
    } finally {
      process.exit(1)
    }
  })
}

/** Hears why this thread ends: the lane that runs in it, or did last. */
let hear: ((error: Error) => void) | undefined
let crashed = false

/**
 * Ends this thread when something throws where nobody catches; `say` hears why before. Also when the lane is done with it and only
 * leftovers run: the pool makes of what such a thread throws an error of the main thread, which would end the process.
 */
export function endOnCrash(say: (error: Error) => void): void {
  if (hear === undefined) process.on('uncaughtException', crash)
  hear = say
}

function crash(thrown: unknown): void {
  if (crashed) return
  crashed = true
  // Not the error itself: what hangs on it may be of a kind that does not cross threads.
  const error = new Error(thrown instanceof Error ? thrown.message : String(thrown))
  if (thrown instanceof Error && thrown.stack !== undefined) error.stack = thrown.stack
  hear?.(error)
  endThread()
}
