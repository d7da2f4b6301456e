import { INSECURE_SUITES, SECURE_SUITES, TLS13_SUITES } from '../transport/tls-names.ts'
import type { ClientTlsSettings, TlsSettings } from '../transport/tls-settings.ts'
import { didYouMean } from './nearest.ts'

/** What is wrong about a `tls` section: a path below it, and what to do. */
export interface TlsProblem {
  readonly key: string
  readonly message: string
}

/** What cannot be right about a `tls` section, without reading a file. As in Go an empty text is none. */
export function tlsProblems(settings: TlsSettings, side: 'server' | 'client'): TlsProblem[] {
  const problems = [...twice(settings), ...pair(settings, side), ...suites(settings)]
  const { min_version: min, max_version: max } = settings
  if (max && max < (min || '1.2')) {
    problems.push({ key: 'max_version', message: `expected at least min_version (${min || '1.2'}), got ${max}` })
  }
  return problems
}

function twice(settings: Partial<ClientTlsSettings>): TlsProblem[] {
  return (['cert', 'key', 'ca'] as const)
    .filter((name) => settings[`${name}_file`] && settings[`${name}_pem`])
    .map((name) => ({
      key: `${name}_pem`,
      message: `${name}_file and ${name}_pem say the same thing; keep one of them`,
    }))
}

function pair(settings: TlsSettings, side: 'server' | 'client'): TlsProblem[] {
  const cert = settings.cert_file || settings.cert_pem
  const key = settings.key_file || settings.key_pem
  if (cert && !key) {
    return [{ key: 'key_file', message: 'a certificate needs its private key; set key_file' }]
  }
  if (!cert && (key || side === 'server')) {
    return [{ key: 'cert_file', message: 'expected a certificate and its private key; set cert_file and key_file' }]
  }
  return []
}

function suites({ cipher_suites: names = [], include_insecure_cipher_suites: insecure }: TlsSettings): TlsProblem[] {
  return names.flatMap((name) => {
    const message = suiteProblem(name, insecure ?? false)
    return message === undefined ? [] : [{ key: 'cipher_suites', message }]
  })
}

function suiteProblem(name: string, insecure: boolean): string | undefined {
  if (TLS13_SUITES.includes(name) || SECURE_SUITES.has(name)) return undefined
  const shown = JSON.stringify(name)
  if (!INSECURE_SUITES.has(name)) {
    const known = [...SECURE_SUITES.keys(), ...INSECURE_SUITES.keys(), ...TLS13_SUITES]
    const [same] = [...SECURE_SUITES, ...INSECURE_SUITES].find(([, openssl]) => openssl === name) ?? []
    if (same !== undefined) return `${shown} is OpenSSL's name of a cipher suite; write "${same}"`
    return `no cipher suite is called ${shown}; they have IANA's names, such as ${known[4]}${didYouMean(name, known)}`
  }
  if (!insecure) return `${shown} is insecure; leave it out, or set include_insecure_cipher_suites: true`
  if (INSECURE_SUITES.get(name) === undefined) return `${shown} is not in the OpenSSL of Node; leave it out`
  return undefined
}
