import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { compare } from 'bcryptjs'
import type { Component, ComponentContext } from '../../src/component/contracts.ts'
import type { ServerAuthenticator } from '../../src/component/extension-roles.ts'
import { WatchedFile } from '../../src/component/watched-file.ts'
import { type CallHead, type CallStatus, GRPC } from '../../src/transport/unary.ts'
import { type Kept, parseHtpasswd } from './htpasswd.ts'
import { md5Crypt } from './md5-crypt.ts'
import { shaCrypt } from './sha-crypt.ts'

// bcrypt takes some 60 ms on purpose, crypt's SHA ten: a verdict is kept, under a hash that nobody else can make, so that a client pays it once.
const KEPT_VERDICTS = 1000
/** A wrong password is looked at again after this long, and whoever guesses is not remembered for ever. */
const REFUSED_FOR_MS = 10_000
/** crypt's work grows with the square of it. */
const LONGEST_PASSWORD = 1024
/** Guessing must not take the lane's time from others: what comes while so many wait is told to come again. */
const MOST_WAITING = 64

interface Verdict {
  readonly good: boolean
  readonly until: number
}

/** Asks clients for a user name and password out of an htpasswd file. */
export class PasswordServer implements Component, ServerAuthenticator {
  readonly #ctx: ComponentContext
  readonly #inline: ReadonlyMap<string, Kept>
  readonly #file: WatchedFile | undefined
  readonly #key = randomBytes(32)
  readonly #verdicts = new Map<string, Verdict>()
  #users: ReadonlyMap<string, Kept>
  /** Slow comparisons, one after the other. */
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(
    settings: { readonly file?: string | undefined; readonly inline?: string | undefined },
    ctx: ComponentContext,
  ) {
    this.#ctx = ctx
    this.#inline = parseHtpasswd(settings.inline ?? '').users
    this.#users = this.#inline
    if (settings.file !== undefined && settings.file !== '') {
      this.#file = new WatchedFile(settings.file, ctx, 'htpasswd.file', (text) => {
        const { users, problems } = parseHtpasswd(text)
        if (problems.length > 0) throw new Error(problems.join('; '))
        this.#users = new Map([...users, ...this.#inline])
        this.#verdicts.clear()
      })
    }
  }

  start(): Promise<void> | void {
    return this.#file?.start()
  }

  stop(): void {
    this.#file?.stop()
  }

  authenticate(head: CallHead): CallStatus | undefined | Promise<CallStatus | undefined> {
    const shown = head.header('authorization')
    if (shown === undefined || shown === '') return refusal('no basic auth provided')
    const encoded = /^basic (.*)$/i.exec(shown)?.[1]
    if (encoded === undefined) return refusal('invalid authorization scheme prefix; expected Basic')
    const decoded = Buffer.from(encoded, 'base64').toString()
    const colon = decoded.indexOf(':')
    if (colon < 0) return refusal('invalid authorization format; expected base64 of user:password')
    const username = decoded.slice(0, colon)
    const kept = this.#users.get(username)
    if (kept === undefined) return INVALID
    const password = decoded.slice(colon + 1)
    if (password.length > LONGEST_PASSWORD) return INVALID
    const settle = (good: boolean): CallStatus | undefined => {
      if (!good) return INVALID
      head.auth = { username, raw: encoded }
      return undefined
    }
    if (!SLOW.has(kept.scheme)) return settle(matches(kept, password))
    const mark = createHmac('sha256', this.#key).update(decoded).digest('base64')
    const verdict = this.#verdicts.get(mark)
    if (verdict !== undefined && verdict.until > this.#ctx.clock.monotonic()) return settle(verdict.good)
    if (this.#waiting >= MOST_WAITING) {
      return { code: GRPC.UNAVAILABLE, message: 'too many passwords are being checked', retryAfterMs: 1000 }
    }
    return this.#compare(password, kept, mark).then(settle)
  }

  async #compare(password: string, kept: Kept, mark: string): Promise<boolean> {
    this.#waiting++
    const users = this.#users
    const turn = this.#last.then(async () => {
      // Whoever sent the same before may have been answered meanwhile.
      const known = this.#verdicts.get(mark)
      if (known !== undefined && known.until > this.#ctx.clock.monotonic()) return known.good
      if (kept.scheme !== 'bcrypt') return matches(kept, password)
      // crypt's `$2y$` and `$2x$` name corrections of one implementation; all are the same today.
      return await compare(password, kept.text.replace(/^\$2[xy]\$/, '$2b$'))
    })
    this.#last = turn.catch(() => {})
    try {
      const good = await turn
      // The file may have changed meanwhile.
      if (users === this.#users) {
        const until = good ? Number.POSITIVE_INFINITY : this.#ctx.clock.monotonic() + REFUSED_FOR_MS
        this.#verdicts.delete(mark)
        this.#verdicts.set(mark, { good, until })
        if (this.#verdicts.size > KEPT_VERDICTS) this.#verdicts.delete(this.#verdicts.keys().next().value!)
      }
      return good
    } finally {
      this.#waiting--
    }
  }
}

const SLOW: ReadonlySet<Kept['scheme']> = new Set(['bcrypt', 'sha-crypt'])

/** Of what is compared without waiting. */
function matches(kept: Kept, password: string): boolean {
  switch (kept.scheme) {
    case 'sha':
      return timingSafeEqual(createHash('sha1').update(password).update(kept.salt).digest(), kept.digest)
    case 'md5':
      return same(md5Crypt(password, kept.text), kept.text)
    case 'sha-crypt':
      return same(shaCrypt(password, kept.text), kept.text)
    default:
      return kept.scheme === 'plain' && same(password, kept.text)
  }
}

function same(a: string, b: string): boolean {
  // Hashed, so that they are of one length.
  const hashed = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(hashed(a), hashed(b))
}

function refusal(message: string): CallStatus {
  return { code: GRPC.UNAUTHENTICATED, message }
}

const INVALID = refusal('invalid credentials')
