import { X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as tls from 'node:tls'

/** Where the distributions of Linux keep them; the first file that is there counts, and all folders. As in Go. */
const FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
]
const FOLDERS = ['/etc/ssl/certs', '/etc/pki/tls/certs']

let system: readonly string[] | undefined

/**
 * The authorities that this machine trusts, one PEM each, as Go finds them: what SSL_CERT_FILE and SSL_CERT_DIR name, or the
 * system's own places; with those of NODE_EXTRA_CA_CERTS. Mozilla's, which Node brings along, where the machine has none
 * at all, as in the smallest containers. Read once.
 */
export function systemAuthorities(): readonly string[] {
  if (system === undefined) {
    const ofSystem = process.platform === 'linux' ? linuxAuthorities(process.env) : tls.getCACertificates('system')
    const found = ofSystem.length > 0 ? ofSystem : tls.getCACertificates('bundled')
    system = [...new Set([...found, ...tls.getCACertificates('extra')].map((pem) => pem.trim()))]
  }
  return system
}

/**
 * Not `tls.getCACertificates('system')`, which takes SSL_CERT_DIR for one folder where Go and OpenSSL take a list, looks in one
 * place alone, and reads what folders of hashes hold once for each name.
 */
export function linuxAuthorities(env: Readonly<Record<string, string | undefined>>): string[] {
  const file = env['SSL_CERT_FILE']
  const folders = env['SSL_CERT_DIR']
  const texts: string[] = []
  for (const path of file ? [file] : FILES) {
    const text = readable(path)
    if (text === undefined) continue
    texts.push(text)
    break
  }
  for (const folder of folders ? folders.split(':') : FOLDERS) {
    for (const name of entries(folder)) texts.push(readable(join(folder, name)) ?? '')
  }
  const blocks = new Set(texts.flatMap((text) => text.match(CERTIFICATE) ?? []))
  // One that cannot be read would make OpenSSL refuse all of them.
  return [...blocks].filter(isCertificate)
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

function entries(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function readable(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem)
    return true
  } catch {
    return false
  }
}
