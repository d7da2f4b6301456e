import { isIP } from 'node:net'
import * as tls from 'node:tls'
import { systemAuthorities } from './tls-authorities.ts'
import { type TlsEnvironment, TlsMaterial, type TlsSource, type TlsTexts } from './tls-material.ts'
import { GROUP_NAMES, INSECURE_SUITES, PROTOCOL_NAMES, SECURE_SUITES, TLS13_SUITES } from './tls-names.ts'
import { explainRefusals } from './tls-refusals.ts'
import type { ClientTlsSettings, ServerTlsSettings, TlsSettings } from './tls-settings.ts'

/** As often as the Collector looks whether `client_ca_file` changed, while clients connect. */
const CLIENT_CA_EVERY_MS = 1000

/** TLS of a server, with certificates that may change while it runs. */
export class ServerTls {
  readonly #settings: ServerTlsSettings
  readonly #environment: TlsEnvironment
  readonly #material: TlsMaterial<'cert' | 'key' | 'ca'>

  /** Reads what the settings name; throws a `TLS_…` error. */
  constructor(settings: ServerTlsSettings, environment: TlsEnvironment) {
    this.#settings = settings
    this.#environment = environment
    const ca = {
      key: 'client_ca_file',
      file: settings.client_ca_file || undefined,
      everyMs: settings.client_ca_file_reload ? CLIENT_CA_EVERY_MS : 0,
    }
    this.#material = new TlsMaterial({ ...ownSources(settings), ca }, environment, (texts) => this.#context(texts))
  }

  /** For `createServer`. */
  get options(): tls.SecureContextOptions & tls.TlsOptions {
    const checksClients = this.#material.texts.ca !== undefined
    return {
      ...this.#context(this.#material.texts),
      ...(checksClients && { requestCert: true, rejectUnauthorized: true }),
    }
  }

  /**
   * Keeps `server`, made with `options`, up to date: a connection that comes when a look at the files is due is the first to be
   * served with what they hold now. Those that are open stay as they are. Clients that fail to connect are explained in the log.
   */
  attach(server: tls.Server): void {
    explainRefusals(server, this.#environment)
    if (!this.#material.reloads) return
    // Before the server's own listener, which begins the handshake.
    server.prependListener('connection', () => {
      if (this.#material.refresh()) server.setSecureContext(this.#context(this.#material.texts))
    })
  }

  #context(texts: TlsTexts<'cert' | 'key' | 'ca'>): tls.SecureContextOptions {
    const { ca } = texts
    const withSystem = ca !== undefined && this.#settings.include_system_ca_certs_pool
    return {
      ...texts,
      ...(withSystem && { ca: [...systemAuthorities(), ca] }),
      ...algorithms(this.#settings),
    }
  }
}

/** What `tls.connect`, and what is built on it, takes of a client's TLS. */
export interface ClientTlsOptions {
  readonly secureContext: tls.SecureContext
  readonly rejectUnauthorized?: boolean
  readonly servername?: string
  readonly checkServerIdentity?: typeof tls.checkServerIdentity
}

/** TLS of a client, with certificates that may change while it runs. */
export class ClientTls {
  readonly #settings: ClientTlsSettings
  readonly #material: TlsMaterial<'cert' | 'key' | 'ca'>
  #options: ClientTlsOptions | undefined

  /** Reads what the settings name; throws a `TLS_…` error. */
  constructor(settings: ClientTlsSettings, environment: TlsEnvironment) {
    this.#settings = settings
    const ca = {
      key: 'ca_file',
      file: settings.ca_file || undefined,
      text: settings.ca_pem || undefined,
      everyMs: settings.reload_interval ?? 0,
    }
    this.#material = new TlsMaterial({ ...ownSources(settings), ca }, environment, (texts) => ({
      ...texts,
      ...algorithms(settings),
    }))
  }

  /** For the `tls.connect` of a connection that is made now: the same object until what it holds has changed. */
  current(): ClientTlsOptions {
    if (this.#material.refresh()) this.#options = undefined
    this.#options ??= this.#connection()
    return this.#options
  }

  #connection(): ClientTlsOptions {
    const { insecure_skip_verify: unchecked, server_name_override: servername } = this.#settings
    return {
      // Made once: with the system's authorities it takes 10 ms.
      secureContext: this.#context(),
      ...(unchecked && { rejectUnauthorized: false }),
      ...(servername && expected(servername)),
    }
  }

  #context(): tls.SecureContext {
    const { texts } = this.#material
    const chosen = algorithms(this.#settings)
    if (texts.ca !== undefined) {
      const withSystem = this.#settings.include_system_ca_certs_pool
      return tls.createSecureContext({
        ...texts,
        ...chosen,
        ca: withSystem ? [...systemAuthorities(), texts.ca] : texts.ca,
      })
    }
    // Nobody is checked against them, so nobody waits for them.
    if (this.#settings.insecure_skip_verify) return tls.createSecureContext({ ...texts, ...chosen })
    if (texts.cert !== undefined) {
      return tls.createSecureContext({ ...texts, ...chosen, ca: [...systemAuthorities()] })
    }
    return anonymous(chosen)
  }
}

/** Asks for a server by that name and looks for it in the certificate. An IP address is looked for, but cannot be asked for (RFC 6066). */
function expected(servername: string): Partial<ClientTlsOptions> {
  if (isIP(servername) === 0) return { servername }
  return { checkServerIdentity: (_name, certificate) => tls.checkServerIdentity(servername, certificate) }
}

/** Most exporters differ in nothing but their address: they share what is costly to make. */
const anonymousContexts = new Map<string, tls.SecureContext>()

function anonymous(chosen: tls.SecureContextOptions): tls.SecureContext {
  const name = JSON.stringify(chosen)
  const found = anonymousContexts.get(name)
  if (found !== undefined) return found
  const made = tls.createSecureContext({ ...chosen, ca: [...systemAuthorities()] })
  anonymousContexts.set(name, made)
  return made
}

function ownSources(settings: TlsSettings): Record<'cert' | 'key', TlsSource> {
  const everyMs = settings.reload_interval ?? 0
  return {
    cert: { key: 'cert_file', file: settings.cert_file || undefined, text: settings.cert_pem || undefined, everyMs },
    key: { key: 'key_file', file: settings.key_file || undefined, text: settings.key_pem || undefined, everyMs },
  }
}

const DEFAULT_MIN = '1.2'

function algorithms(settings: TlsSettings): tls.SecureContextOptions {
  const { min_version: min, max_version: max, curve_preferences: curves = [] } = settings
  const ciphers = cipherList(settings)
  return {
    minVersion: PROTOCOL_NAMES[min || DEFAULT_MIN],
    ...(max && { maxVersion: PROTOCOL_NAMES[max] }),
    ...(ciphers !== undefined && { ciphers }),
    ...(curves.length > 0 && { ecdhCurve: curves.map((curve) => GROUP_NAMES[curve]).join(':') }),
  }
}

/** In OpenSSL's spelling; undefined for Node's own choice. */
function cipherList({ min_version: min, cipher_suites: names = [] }: TlsSettings): string | undefined {
  // Before TLS 1.2 handshakes are signed with SHA-1, which OpenSSL takes at this level only.
  const level = (min || DEFAULT_MIN) < '1.2' ? ':@SECLEVEL=0' : ''
  if (names.length === 0) return level === '' ? undefined : tls.DEFAULT_CIPHERS + level
  const known = names.map((name) => SECURE_SUITES.get(name) ?? INSECURE_SUITES.get(name))
  return [...TLS13_SUITES, ...known.filter((name) => name !== undefined)].join(':') + level
}
