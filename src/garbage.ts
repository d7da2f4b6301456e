import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * What this thread's sockets read lies in ArrayBuffers that are garbage a moment later. V8 sees only their external memory
 * grow, and collects the whole heap for it, 10 to 40 ms each time; a scavenge frees them as well, in about one. So there is one each
 * time that so many bytes were read: fewer leave more to the full collections, more cost more than they save.
 */
const SCAVENGE_EVERY_BYTES = 8 << 20
const COLLECT_EVERY_REFUSALS = 4096

interface Collection {
  readonly type: 'major' | 'minor'
  readonly execution?: 'sync'
  readonly flavor?: 'last-resort'
}

let collect: ((options: Collection) => void) | undefined
let unscavenged = 0
let uncollected = 0

/** A full collection, some 10 to 100 ms in which the thread does nothing else. */
export function collectAll(): void {
  collector()({ type: 'major' })
}

/** Several of them, until nothing more is found, and V8's pages go back to the system as well, which it keeps otherwise. */
export function collectToTheLast(): void {
  collector()({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}

/** Counts bytes that a socket of this thread read into memory of their own, and frees what has become garbage of them. */
export function readFromSocket(bytes: number): void {
  unscavenged += bytes
  if (unscavenged < SCAVENGE_EVERY_BYTES) return
  unscavenged = 0
  collector()({ type: 'minor' })
}

/**
 * Counts a request that was refused unread, of which `bytes` came all the same. Its objects wait for the client's reset and so outlive
 * scavenges; V8 lets them grow to three times what lives before it looks, 25 MiB of bench case `overload`.
 */
export function refusedUnread(bytes: number): void {
  if (++uncollected < COLLECT_EVERY_REFUSALS) {
    readFromSocket(bytes)
    return
  }
  uncollected = 0
  unscavenged = 0
  collectAll()
}

/**
 * V8 can be asked in no other way than by its `gc` function, which a context has that was made after the flag was set. The
 * flag is the process': taken back, it might be missing to another thread at the same moment.
 */
function collector(): NonNullable<typeof collect> {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as NonNullable<typeof collect>
  }
  return collect
}
