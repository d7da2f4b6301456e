import { readFile } from 'node:fs/promises'
// Imported where it is used: definitions load this file for its checks, in every start.
import type * as tls from 'node:tls'
import { SluiceError } from '../errors.ts'

/** Certificates and versions as the Collector's `tls` section spells them. */
export interface TlsSettings {
  readonly cert_file?: string | undefined
  readonly cert_pem?: string | undefined
  readonly key_file?: string | undefined
  readonly key_pem?: string | undefined
  readonly min_version: '1.0' | '1.1' | '1.2' | '1.3'
  readonly max_version?: '1.0' | '1.1' | '1.2' | '1.3' | undefined
}

export interface ServerTlsSettings extends TlsSettings {
  readonly client_ca_file?: string | undefined
}

export interface ClientTlsSettings extends TlsSettings {
  readonly insecure: boolean
  readonly insecure_skip_verify: boolean
  readonly ca_file?: string | undefined
  readonly ca_pem?: string | undefined
  readonly include_system_ca_certs_pool: boolean
  readonly server_name_override?: string | undefined
}

/** What a client's TLS needs to know; fits node:tls, and what is built on it. */
export type ClientTls = tls.SecureContextOptions & {
  readonly rejectUnauthorized?: boolean
  readonly servername?: string
}

/** Reads what a server's `tls` names. `configuredBy` is shown in `TLS_…` errors: `receiver otlp, protocols.grpc.tls`. */
export async function serverTls(
  settings: ServerTlsSettings,
  configuredBy: string,
): Promise<tls.SecureContextOptions & tls.TlsOptions> {
  const own = await ownCertificate(settings, configuredBy)
  const clientCa = await pem(settings.client_ca_file, undefined, `${configuredBy}.client_ca_file`)
  const options = {
    ...own,
    ...versions(settings),
    ...(clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  }
  await checkMaterial(options, configuredBy)
  return options
}

/** Reads what a client's `tls` names. */
export async function clientTls(settings: ClientTlsSettings, configuredBy: string): Promise<ClientTls> {
  const own = await ownCertificate(settings, configuredBy)
  const ca = await pem(settings.ca_file, settings.ca_pem, `${configuredBy}.ca_file`)
  const options = {
    ...own,
    ...versions(settings),
    ...(ca !== undefined && { ca: settings.include_system_ca_certs_pool ? [...(await systemRoots()), ca] : ca }),
    ...(settings.insecure_skip_verify && { rejectUnauthorized: false }),
    ...(settings.server_name_override !== undefined && { servername: settings.server_name_override }),
  }
  await checkMaterial(options, configuredBy)
  return options
}

/** What cannot be right about a `tls` section, without reading a file: paths below it and what to do. */
export function tlsProblems(
  settings: TlsSettings,
  side: 'server' | 'client',
): { readonly key: string; readonly message: string }[] {
  const problems: { key: string; message: string }[] = []
  const both = (file: 'cert_file' | 'key_file' | 'ca_file', pem: 'cert_pem' | 'key_pem' | 'ca_pem'): void => {
    const given: Partial<ClientTlsSettings> = settings
    if (given[file] !== undefined && given[pem] !== undefined) {
      problems.push({ key: pem, message: `${file} and ${pem} say the same thing; keep one of them` })
    }
  }
  both('cert_file', 'cert_pem')
  both('key_file', 'key_pem')
  if (side === 'client') both('ca_file', 'ca_pem')
  const cert = settings.cert_file ?? settings.cert_pem
  const key = settings.key_file ?? settings.key_pem
  if (cert !== undefined && key === undefined) {
    problems.push({ key: 'key_file', message: 'a certificate needs its private key; set key_file' })
  } else if (cert === undefined && (key !== undefined || side === 'server')) {
    problems.push({
      key: 'cert_file',
      message: 'expected a certificate and its private key; set cert_file and key_file',
    })
  }
  if (settings.max_version !== undefined && settings.max_version < settings.min_version) {
    problems.push({
      key: 'max_version',
      message: `expected at least min_version (${settings.min_version}), got ${settings.max_version}`,
    })
  }
  return problems
}

function versions(settings: TlsSettings): tls.SecureContextOptions {
  return {
    minVersion: VERSION_NAMES[settings.min_version],
    ...(settings.max_version !== undefined && { maxVersion: VERSION_NAMES[settings.max_version] }),
  }
}

const VERSION_NAMES = { '1.0': 'TLSv1', '1.1': 'TLSv1.1', '1.2': 'TLSv1.2', '1.3': 'TLSv1.3' } as const

async function ownCertificate(settings: TlsSettings, configuredBy: string): Promise<tls.SecureContextOptions> {
  const cert = await pem(settings.cert_file, settings.cert_pem, `${configuredBy}.cert_file`)
  const key = await pem(settings.key_file, settings.key_pem, `${configuredBy}.key_file`)
  return { ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) }
}

async function pem(
  file: string | undefined,
  text: string | undefined,
  configuredBy: string,
): Promise<string | undefined> {
  if (text !== undefined || file === undefined) return text
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new SluiceError(
      'TLS_FILE_UNREADABLE',
      `${configuredBy}: cannot read "${file}" (${(cause as NodeJS.ErrnoException).code}); is the path right, and may this user read it?`,
      { cause },
    )
  }
}

async function systemRoots(): Promise<readonly string[]> {
  return (await import('node:tls')).rootCertificates
}

/** Certificates are parsed here and not at the first connection, hours later. */
async function checkMaterial(options: tls.SecureContextOptions, configuredBy: string): Promise<void> {
  const { createSecureContext } = await import('node:tls')
  try {
    createSecureContext(options)
  } catch (cause) {
    throw new SluiceError(
      'TLS_MATERIAL_INVALID',
      `${configuredBy}: certificate, key or authorities are not usable: ${(cause as Error).message}; ` +
        'expected PEM, and a key that belongs to the certificate',
      { cause },
    )
  }
}
