import { X509Certificate } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { linuxAuthorities } from '../../src/transport/tls-authorities.ts'
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
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('the authorities of Linux', () => {
  const folders = (): { a: string; b: string } => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    mkdirSync(a)
    mkdirSync(b)
    return { a, b }
  }
  const commonName = (pem: string): string => new X509Certificate(pem).subject

  test('are what SSL_CERT_FILE and the list of folders in SSL_CERT_DIR hold, each once', () => {
    const { a, b } = folders()
    const [ca, stranger] = [certificates.read(certificates.ca), certificates.read(certificates.stranger)]
    writeFileSync(join(a, 'README'), 'nothing')
    writeFileSync(join(a, 'ca.pem'), `Our own\n${ca}`)
    copyFileSync(join(a, 'ca.pem'), join(a, '0123abcd.0'))
    mkdirSync(join(a, 'old'))
    const broken = ca.replace(/\n[^-\n]{20}/, '\nAAAAAAAAAAAAAAAAAAAA')
    writeFileSync(join(b, 'both.pem'), `${broken}\n${stranger}`)
    const env = { SSL_CERT_FILE: certificates.client.cert, SSL_CERT_DIR: `${a}:/nowhere:${b}` }
    expect(linuxAuthorities(env).map(commonName)).toEqual(['CN=client', 'CN=ca', 'CN=stranger'])
  })

  test('are none where both name nothing', () => {
    expect(linuxAuthorities({ SSL_CERT_FILE: '/nowhere', SSL_CERT_DIR: folder })).toEqual([])
  })
})
