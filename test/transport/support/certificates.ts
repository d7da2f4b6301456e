import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Certificates {
  /** An authority, a server certificate for localhost and 127.0.0.1, and a client's, both signed by it. */
  readonly ca: string
  readonly server: { readonly cert: string; readonly key: string }
  readonly client: { readonly cert: string; readonly key: string }
  /** An authority that signed nothing. */
  readonly stranger: string
  read(path: string): string
  /** Another certificate for localhost and 127.0.0.1, of `by` (`ca` if absent). */
  issue(name: string, by?: 'ca' | 'stranger'): { readonly cert: string; readonly key: string }
  remove(): void
}

/** Makes files in a folder of its own with the `openssl` command. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'))
  const at = (name: string): string => join(folder, name)
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'ignore' })
  const newKey = (key: string): string[] => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    at(key),
  ]
  const authority = (name: string): void =>
    openssl('req', '-x509', ...newKey(`${name}.key`), '-out', at(`${name}.crt`), '-days', '2', '-subj', `/CN=${name}`)
  authority('ca')
  authority('stranger')
  const signed = (name: string, by: 'ca' | 'stranger' = 'ca'): { cert: string; key: string } => {
    openssl('req', '-new', ...newKey(`${name}.key`), '-out', at(`${name}.csr`), '-subj', `/CN=${name}`)
    writeFileSync(at('san'), 'subjectAltName=DNS:localhost,IP:127.0.0.1')
    const signer = ['-CA', at(`${by}.crt`), '-CAkey', at(`${by}.key`), '-CAcreateserial']
    openssl(
      'x509',
      '-req',
      '-in',
      at(`${name}.csr`),
      ...signer,
      '-days',
      '2',
      '-out',
      at(`${name}.crt`),
      '-extfile',
      at('san'),
    )
    return { cert: at(`${name}.crt`), key: at(`${name}.key`) }
  }
  return {
    ca: at('ca.crt'),
    server: signed('server'),
    client: signed('client'),
    stranger: at('stranger.crt'),
    issue: signed,
    read: (path) => readFileSync(path, 'utf8'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
