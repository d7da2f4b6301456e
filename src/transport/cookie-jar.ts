interface Cookie {
  readonly name: string
  readonly value: string
  readonly domain: string
  /** Only for `domain` itself, not for what is below it. */
  readonly hostOnly: boolean
  readonly path: string
  readonly secure: boolean
  /** Milliseconds since the Unix epoch. */
  readonly expires: number
}

// RFC 6265, section 6.1, asks for at least this much of each; servers that send more are no load balancers.
const MAX_COOKIES = 300
const MAX_LENGTH = 4096

/** The cookies of one client, as far as affinity to a server needs them: RFC 6265 without a list of public suffixes. */
export class CookieJar {
  readonly #now: () => number
  /** By name, domain and path; those set last are last. */
  readonly #cookies = new Map<string, Cookie>()

  /** `now` is in milliseconds since the Unix epoch. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** The `cookie` header for a request; undefined where nothing is to be sent. */
  header(url: URL): string | undefined {
    if (this.#cookies.size === 0) return undefined
    const now = this.#now()
    const sent: Cookie[] = []
    for (const [key, cookie] of this.#cookies) {
      if (cookie.expires <= now) this.#cookies.delete(key)
      else if (fits(cookie, url)) sent.push(cookie)
    }
    if (sent.length === 0) return undefined
    // Longer paths first: section 5.4.
    sent.sort((a, b) => b.path.length - a.path.length)
    return sent.map(({ name, value }) => `${name}=${value}`).join('; ')
  }

  /** Takes what an answer's `set-cookie` says; what is malformed or for another's domain is left. */
  take(url: URL, setCookie: string | readonly string[] | undefined): void {
    if (setCookie === undefined) return
    for (const each of typeof setCookie === 'string' ? [setCookie] : setCookie) this.#take(url, each)
  }

  #take(url: URL, line: string): void {
    if (line.length > MAX_LENGTH) return
    const cookie = parse(line, url, this.#now())
    if (cookie === undefined) return
    const key = `${cookie.name};${cookie.domain};${cookie.path}`
    this.#cookies.delete(key)
    if (cookie.expires <= this.#now()) return
    this.#cookies.set(key, cookie)
    if (this.#cookies.size > MAX_COOKIES) this.#cookies.delete(this.#cookies.keys().next().value!)
  }
}

function fits(cookie: Cookie, url: URL): boolean {
  if (cookie.secure && url.protocol !== 'https:') return false
  if (url.hostname !== cookie.domain && (cookie.hostOnly || !url.hostname.endsWith(`.${cookie.domain}`))) return false
  const { pathname } = url
  if (!pathname.startsWith(cookie.path)) return false
  return pathname.length === cookie.path.length || cookie.path.endsWith('/') || pathname[cookie.path.length] === '/'
}

/** Section 5.2 and 5.3. */
function parse(line: string, url: URL, now: number): Cookie | undefined {
  const [pair = '', ...attributes] = line.split(';')
  const equals = pair.indexOf('=')
  if (equals <= 0) return undefined
  const name = pair.slice(0, equals).trim()
  const value = pair.slice(equals + 1).trim()
  if (name === '' || /[^\x21-\x7e]/.test(name) || /[^\x20-\x7e]/.test(value)) return undefined
  let domain: string | undefined
  let path = url.pathname.slice(0, Math.max(1, url.pathname.lastIndexOf('/')))
  let expires: number | undefined
  let maxAge: number | undefined
  let secure = false
  for (const attribute of attributes) {
    const at = attribute.indexOf('=')
    const key = (at < 0 ? attribute : attribute.slice(0, at)).trim().toLowerCase()
    const text = at < 0 ? '' : attribute.slice(at + 1).trim()
    if (key === 'domain' && text !== '') domain = text.replace(/^\./, '').toLowerCase()
    else if (key === 'path' && text.startsWith('/')) path = text
    else if (key === 'secure') secure = true
    else if (key === 'max-age' && /^-?\d+$/.test(text)) maxAge = Number(text)
    else if (key === 'expires' && !Number.isNaN(Date.parse(text))) expires = Date.parse(text)
  }
  // A whole top-level domain is nobody's.
  if (
    domain !== undefined &&
    domain !== url.hostname &&
    !(domain.includes('.') && url.hostname.endsWith(`.${domain}`))
  ) {
    return undefined
  }
  return {
    name,
    value,
    domain: domain ?? url.hostname,
    hostOnly: domain === undefined,
    path,
    secure,
    expires: maxAge !== undefined ? now + maxAge * 1000 : (expires ?? Number.POSITIVE_INFINITY),
  }
}
