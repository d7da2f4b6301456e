import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tls from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ClientTls, ServerTls } from '../../src/transport/tls.ts'
import type { ClientTlsSettings, ServerTlsSettings } from '../../src/transport/tls-settings.ts'
import { wantsTls } from '../../src/transport/tls-settings.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { type LogLine, memoryLog } from '../support/memory-log.ts'
import { type Certificates, makeCertificates } from './support/certificates.ts'

let certificates: Certificates
let folder: string
beforeAll(() => {
  certificates = makeCertificates()
})
afterAll(() => certificates.remove())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'))
})
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  rmSync(folder, { recursive: true, force: true })
})

interface Running {
  readonly port: number
  readonly clock: FakeClock
  readonly lines: LogLine[]
  /** Names of the clients whose certificates were taken, in order. */
  readonly clients: string[]
}

/** A server that says `hello` to whoever gets in, and ends. */
async function serve(settings: Partial<ServerTlsSettings>, stay = false): Promise<Running> {
  const clock = new FakeClock()
  const { log, lines } = memoryLog()
  const own = { cert_file: certificates.server.cert, key_file: certificates.server.key, min_version: '' as const }
  const material = new ServerTls({ ...own, ...settings }, { configuredBy: 'tls', clock, log })
  const clients: string[] = []
  const server = tls.createServer(material.options, (socket) => {
    socket.on('error', () => {})
    clients.push(String(socket.getPeerCertificate().subject?.CN ?? ''))
    if (stay) socket.on('data', (data) => socket.write(data))
    else socket.end('hello')
  })
  material.attach(server)
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => new Promise((resolve) => server.close(resolve)))
  return { port: (server.address() as AddressInfo).port, clock, lines, clients }
}

/** The name in the server's certificate and what was agreed on, or the code of the failure. */
function meet(port: number, options: tls.ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = tls.connect({ port, host: '127.0.0.1', ca: certificates.read(certificates.ca), ...options })
    let seen = ''
    // With TLS 1.3 a server refuses a client's certificate after its own handshake: what it sends says that it is over.
    socket.on('secureConnect', () => {
      seen = [socket.getPeerCertificate().subject.CN, socket.getProtocol(), socket.getCipher().standardName].join(' ')
    })
    socket.on('data', () => {
      resolve(seen)
      socket.destroy()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.on('close', () => resolve('closed'))
  })
}

const nameOf = async (answer: Promise<string>): Promise<string> => (await answer).split(' ')[0]!

/** Files that a test writes over, holding this certificate at first. */
function place({ cert, key }: { cert: string; key: string }): { cert_file: string; key_file: string } {
  const files = { cert_file: join(folder, 'own.crt'), key_file: join(folder, 'own.key') }
  copyFileSync(cert, files.cert_file)
  copyFileSync(key, files.key_file)
  return files
}

describe('a server', () => {
  test('serves a changed certificate to the first connection after reload_interval; open ones stay', async () => {
    const files = place(certificates.server)
    const { port, clock, lines } = await serve({ ...files, reload_interval: 60_000 }, true)
    const open = tls.connect({ port, host: '127.0.0.1', ca: certificates.read(certificates.ca) })
    cleanups.push(() => open.destroy())
    await new Promise((resolve) => open.once('secureConnect', resolve))
    place(certificates.issue('rotated'))

    const seenNow = async (): Promise<string> => {
      const socket = tls.connect({ port, host: '127.0.0.1', ca: certificates.read(certificates.ca) })
      await new Promise((resolve) => socket.once('secureConnect', resolve))
      const name = String(socket.getPeerCertificate().subject.CN)
      socket.destroy()
      return name
    }
    await clock.advance(59_999)
    expect(await seenNow()).toBe('server')
    await clock.advance(1)
    expect(await seenNow()).toBe('rotated')
    expect(await seenNow()).toBe('rotated')
    expect(open.getPeerCertificate().subject.CN).toBe('server')
    const echo = new Promise((resolve) => open.once('data', (data) => resolve(String(data))))
    open.write('still here')
    expect(await echo).toBe('still here')
    expect(lines.map(({ level, msg }) => `${level} ${msg}`)).toEqual([
      'info tls: changed files were read again; new connections use them',
    ])
    expect(lines[0]).toMatchObject({ keys: ['cert_file', 'key_file'], subject: 'CN=rotated' })
  })

  test('never reads again without reload_interval', async () => {
    const files = place(certificates.server)
    const { port, clock } = await serve(files)
    place(certificates.client)
    await clock.advance(86_400_000)
    expect(await nameOf(meet(port))).toBe('server')
  })

  test('keeps what it has while files are bad, missing or half replaced, says so once, and takes them when they are good', async () => {
    const files = place(certificates.server)
    const { port, clock, lines } = await serve({ ...files, reload_interval: 60_000 })
    const next = certificates.issue('next')
    const attempt = async (): Promise<string> => {
      await clock.advance(60_000)
      return await nameOf(meet(port))
    }
    writeFileSync(files.cert_file, 'no certificate')
    expect(await attempt()).toBe('server')
    expect(await attempt()).toBe('server')
    rmSync(files.cert_file)
    expect(await attempt()).toBe('server')
    // The key comes later than the certificate.
    copyFileSync(next.cert, files.cert_file)
    expect(await attempt()).toBe('server')
    copyFileSync(next.key, files.key_file)
    // Not a whole interval later: what was bad a second ago is looked at again.
    await clock.advance(1000)
    expect(await nameOf(meet(port))).toBe('next')
    expect(lines.map(({ level, code }) => [level, code])).toEqual([
      ['warn', 'TLS_RELOAD_FAILED'],
      ['warn', 'TLS_RELOAD_FAILED'],
      ['warn', 'TLS_RELOAD_FAILED'],
      ['info', undefined],
    ])
    expect(lines[0]!.msg).toMatch(
      /^tls: certificate, key or authorities are not usable: .*; what was read before stays/,
    )
    expect(lines[1]!.msg).toMatch(/^tls\.cert_file: cannot read ".*own\.crt" \(ENOENT\)/)
  })

  test('reads client_ca_file again once a second: who is signed by a new authority gets in, who is not gets out', async () => {
    const ca = join(folder, 'clients.crt')
    copyFileSync(certificates.ca, ca)
    const { port, clock, clients } = await serve({ client_ca_file: ca, client_ca_file_reload: true })
    const keyed = ({ cert, key }: { cert: string; key: string }): tls.ConnectionOptions => ({
      cert: certificates.read(cert),
      key: certificates.read(key),
    })
    const known = keyed(certificates.client)
    const strange = keyed(certificates.issue('strange', 'stranger'))
    expect(await nameOf(meet(port, known))).toBe('server')
    expect(await meet(port, strange)).toMatch(/^ERR_SSL_|ECONNRESET|closed/)
    copyFileSync(certificates.stranger, ca)
    await clock.advance(1000)
    expect(await meet(port, known)).toMatch(/^ERR_SSL_|ECONNRESET|closed/)
    expect(await nameOf(meet(port, strange))).toBe('server')
    expect(await meet(port)).toMatch(/^ERR_SSL_|ECONNRESET|closed/)
    expect(clients).toEqual(['client', 'strange'])
  })
})

describe('a client that fails to connect is explained', () => {
  const saidOf = (lines: LogLine[]): unknown[] => lines.map(({ level, code, msg }) => [level, code, msg])
  const line = (reason: string): unknown[] => [
    [
      'warn',
      'TLS_HANDSHAKE_FAILED',
      expect.stringMatching(`^tls: (127\\.0\\.0\\.1:\\d+|a client) failed to connect: ${reason}$`),
    ],
  ]
  const raw = (port: number, text: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => (text === '' ? socket.destroy() : socket.write(text)))
      socket.on('error', () => {})
      socket.on('close', () => resolve('closed'))
    })
  const strange = (): tls.ConnectionOptions => {
    const { cert, key } = certificates.issue('strange', 'stranger')
    return { cert: certificates.read(cert), key: certificates.read(key) }
  }
  const clients = (): Partial<ServerTlsSettings> => ({ client_ca_file: certificates.ca })

  test.each<[string, () => Partial<ServerTlsSettings>, (port: number) => Promise<string>, string]>([
    ['plain HTTP', () => ({}), (port) => raw(port, 'POST / HTTP/1.1\r\n\r\n'), 'it does not speak TLS; turn TLS .*'],
    ['plain gRPC', () => ({}), (port) => raw(port, 'PRI * HTTP/2.0\r\n\r\n'), 'it does not speak TLS; turn TLS .*'],
    ['no certificate', clients, (port) => meet(port), 'it showed no certificate, which client_ca_file asks for'],
    ['a strange one', clients, (port) => meet(port, strange()), 'no authority of client_ca_file signed its .*'],
    [
      'an old version',
      () => ({ min_version: '1.3' }),
      (port) => meet(port, { maxVersion: 'TLSv1.2' }),
      'it speaks no version of TLS that .*',
    ],
    [
      'no common curve',
      () => ({ curve_preferences: ['P521'] }),
      (port) => meet(port, { ecdhCurve: 'P-384' }),
      'it has none of the key exchanges of this side; see curve_preferences',
    ],
  ])('%s', async (_name, settings, attempt, reason) => {
    const { port, lines } = await serve(settings())
    await attempt(port)
    await expect.poll(() => saidOf(lines)).toEqual(line(reason))
  })

  test('once a minute for each reason, with how often it was; who only looks in is not mentioned', async () => {
    const { port, lines, clock } = await serve({})
    await raw(port, '')
    for (let i = 0; i < 4; i++) await raw(port, 'POST / HTTP/1.1\r\n\r\n')
    await expect.poll(() => lines.length).toBe(1)
    await clock.advance(60_000)
    await raw(port, 'POST / HTTP/1.1\r\n\r\n')
    await expect.poll(() => lines.length).toBe(2)
    expect(lines[1]!.msg).toMatch(/turn TLS on there, or off here; so did 3 others since the last line about it$/)
  })
})

describe('what is agreed on', () => {
  const OLD = { ciphers: `${tls.DEFAULT_CIPHERS}:@SECLEVEL=0`, minVersion: 'TLSv1' } as const

  test.each([
    [{ min_version: '1.0' }, 'TLSv1', 'TLSv1'],
    [{ min_version: '1.1' }, 'TLSv1.1', 'TLSv1.1'],
    [{ min_version: '1.1' }, 'TLSv1', 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'],
    [{ min_version: '' }, 'TLSv1.1', 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'],
    [{ min_version: '1.2' }, 'TLSv1.2', 'TLSv1.2'],
    [{ min_version: '1.3' }, 'TLSv1.2', 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'],
    [{ max_version: '' }, 'TLSv1.3', 'TLSv1.3'],
    [{ max_version: '1.2' }, 'TLSv1.3', 'TLSv1.2'],
  ] as const)('%j with a client that speaks up to %s: %s', async (settings, maxVersion, expected) => {
    const { port } = await serve(settings)
    const answer = await meet(port, { ...OLD, maxVersion })
    expect(answer.includes(' ') ? answer.split(' ')[1] : answer).toBe(expected)
  })

  test('cipher_suites: of TLS 1.2 only those that are named; of TLS 1.3 all', async () => {
    const named = 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256'
    const { port } = await serve({ cipher_suites: [named] })
    expect(await meet(port, { maxVersion: 'TLSv1.2' })).toBe(`server TLSv1.2 ${named}`)
    expect(await meet(port, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })).toBe(
      'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE',
    )
    expect(await meet(port, { ciphers: 'TLS_AES_128_GCM_SHA256' })).toBe('server TLSv1.3 TLS_AES_128_GCM_SHA256')
  })

  test('cipher_suites with none but those of TLS 1.3 leave nothing for TLS 1.2', async () => {
    const { port } = await serve({ cipher_suites: ['TLS_AES_256_GCM_SHA384'] })
    expect(await meet(port, { maxVersion: 'TLSv1.2' })).toMatch(/^ERR_SSL_/)
    expect(await nameOf(meet(port))).toBe('server')
  })

  test('cipher_suites: an insecure one where it is asked for', async () => {
    const named = 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256'
    const { port } = await serve({ cipher_suites: [named], include_insecure_cipher_suites: true })
    expect(await meet(port, { maxVersion: 'TLSv1.2', ciphers: 'ALL' })).toBe(`server TLSv1.2 ${named}`)
  })

  test.each([
    ['X25519', 'X25519'],
    ['X25519MLKEM768', 'X25519MLKEM768'],
    ['P256', 'P-256'],
    ['P384', 'P-384'],
    ['P521', 'P-521'],
  ] as const)('curve_preferences: %s and no other', async (curve, openssl) => {
    const { port } = await serve({ curve_preferences: [curve] })
    expect(await nameOf(meet(port, { ecdhCurve: openssl }))).toBe('server')
    const other = curve === 'P384' ? 'P-521' : 'P-384'
    expect(await meet(port, { ecdhCurve: other })).toMatch(/^ERR_SSL_.*HANDSHAKE_FAILURE$/)
  })
})

describe('a client', () => {
  const PLAIN: ClientTlsSettings = {
    min_version: '1.2',
    insecure: false,
    insecure_skip_verify: false,
    include_system_ca_certs_pool: false,
  }
  const client = (settings: Partial<ClientTlsSettings>, clock = new FakeClock()): ClientTls =>
    new ClientTls({ ...PLAIN, ...settings }, { configuredBy: 'tls', clock, log: memoryLog().log })
  const through = (material: ClientTls, port: number, host = '127.0.0.1'): Promise<string> =>
    nameOf(
      new Promise((resolve) => {
        const socket = tls.connect({ port, host: '127.0.0.1', servername: host, ...material.current() })
        socket.on('data', () => resolve(String(socket.getPeerCertificate().subject.CN)))
        socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      }),
    )

  test('trusts ca_file, ca_pem, or both that and the system, and nobody else', async () => {
    const { port } = await serve({})
    expect(await through(client({ ca_file: certificates.ca }), port, 'localhost')).toBe('server')
    expect(await through(client({ ca_pem: certificates.read(certificates.ca) }), port, 'localhost')).toBe('server')
    const both = client({ ca_file: certificates.ca, include_system_ca_certs_pool: true })
    expect(await through(both, port, 'localhost')).toBe('server')
    for (const settings of [{}, { ca_file: certificates.stranger }]) {
      expect(await through(client(settings), port, 'localhost')).toMatch(/^UNABLE_TO_|^SELF_SIGNED|^CERT_/)
    }
  })

  test('takes anybody under insecure_skip_verify, and looks for server_name_override where there is one', async () => {
    const { port } = await serve({})
    expect(await through(client({ insecure_skip_verify: true }), port, 'localhost')).toBe('server')
    const trusting = { ca_file: certificates.ca }
    expect(await through(client({ ...trusting, server_name_override: 'other.example' }), port)).toBe(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    )
    expect(await through(client({ ...trusting, server_name_override: 'localhost' }), port, 'other.example')).toBe(
      'server',
    )
    // An address stands in the certificate as such.
    const address = (override: string): Promise<string> =>
      through(client({ ...trusting, server_name_override: override }), port, 'other.example')
    expect(await address('127.0.0.1')).toBe('server')
    expect(await address('127.0.0.2')).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
  })

  test('shows a changed certificate from the first connection after reload_interval', async () => {
    const { port, clients } = await serve({ client_ca_file: certificates.ca })
    const clock = new FakeClock()
    const files = place(certificates.client)
    const material = client({ ...files, ca_file: certificates.ca, reload_interval: 1000 }, clock)
    expect(await through(material, port, 'localhost')).toBe('server')
    const first = material.current()
    place(certificates.issue('renewed'))
    expect(material.current()).toBe(first)
    await clock.advance(1000)
    expect(await through(material, port, 'localhost')).toBe('server')
    expect(material.current()).not.toBe(first)
    expect(clients).toEqual(['client', 'renewed'])
  })

  test('trusts a changed ca_file', async () => {
    const { port } = await serve({})
    const clock = new FakeClock()
    const ca = join(folder, 'ca.crt')
    copyFileSync(certificates.stranger, ca)
    const material = client({ ca_file: ca, reload_interval: 1000 }, clock)
    expect(await through(material, port, 'localhost')).toMatch(/^UNABLE_TO_|^CERT_/)
    copyFileSync(certificates.ca, ca)
    await clock.advance(1000)
    expect(await through(material, port, 'localhost')).toBe('server')
  })

  test('clients that differ in nothing share what is costly to make', () => {
    expect(client({}).current().secureContext).toBe(client({}).current().secureContext)
    expect(client({}).current().secureContext).not.toBe(client({ min_version: '1.3' }).current().secureContext)
  })

  test.each([
    ['SSL_CERT_FILE', (): NodeJS.ProcessEnv => ({ SSL_CERT_FILE: certificates.ca, SSL_CERT_DIR: folder }), 'server'],
    // Node reads the authorities once a process, so that each of these needs one of its own.
    [
      'Mozilla where there is nobody',
      (): NodeJS.ProcessEnv => ({ SSL_CERT_FILE: '/dev/null', SSL_CERT_DIR: folder }),
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE of 100 or more',
    ],
  ])('trusts whom the system trusts: %s', async (_name, env, expected) => {
    const { port } = await serve({})
    const said = await new Promise<string>((resolve) => {
      const program = join(import.meta.dirname, 'support/system-authorities-client.ts')
      const options = { env: { ...process.env, NODE_EXTRA_CA_CERTS: '', ...env() } }
      execFile(process.execPath, [program, String(port)], options, (error, stdout, stderr) =>
        resolve(error === null ? stdout.trim() : stderr),
      )
    })
    expect(said).toBe(expected)
  })
})

test('insecure is overruled by an authority, as in the Collector', () => {
  const settings = { min_version: '1.2', insecure_skip_verify: false, include_system_ca_certs_pool: false } as const
  expect(wantsTls({ ...settings, insecure: true })).toBe(false)
  expect(wantsTls({ ...settings, insecure: true, ca_file: '' })).toBe(false)
  expect(wantsTls({ ...settings, insecure: true, ca_file: 'ca.crt' })).toBe(true)
  expect(wantsTls({ ...settings, insecure: false })).toBe(true)
})
