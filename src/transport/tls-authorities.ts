import * as tls from 'node:tls'

let system: readonly string[] | undefined

/**
 * The authorities that this machine trusts, as PEM, as Go finds them: what SSL_CERT_FILE and SSL_CERT_DIR name, or the system's
 * own places; with those of NODE_EXTRA_CA_CERTS. Mozilla's, which Node brings along, where the machine has none at all, as
 * in the smallest containers. Read once: they take 50 ms.
 */
export function systemAuthorities(): readonly string[] {
  if (system === undefined) {
    const found = tls.getCACertificates('system')
    const all = [...(found.length > 0 ? found : tls.getCACertificates('bundled')), ...tls.getCACertificates('extra')]
    // A folder of certificates holds most of them twice, under names and hashes, and the bundle as well.
    system = [...new Set(all)]
  }
  return system
}
