import type { TlsCurve, TlsVersion } from './tls-names.ts'

/** Certificates, versions and algorithms as the Collector's `tls` section spells them. */
export interface TlsSettings {
  readonly cert_file?: string | undefined
  readonly cert_pem?: string | undefined
  readonly key_file?: string | undefined
  readonly key_pem?: string | undefined
  /** '' for the default, as in all of these texts. */
  readonly min_version: TlsVersion | ''
  readonly max_version?: TlsVersion | '' | undefined
  /** IANA names; the usual ones where there are none. */
  readonly cipher_suites?: readonly string[] | undefined
  readonly include_insecure_cipher_suites?: boolean | undefined
  readonly curve_preferences?: readonly TlsCurve[] | undefined
  /** Milliseconds; 0 or absent for never. */
  readonly reload_interval?: number | undefined
}

export interface ServerTlsSettings extends TlsSettings {
  readonly client_ca_file?: string | undefined
  readonly client_ca_file_reload?: boolean | undefined
  readonly include_system_ca_certs_pool?: boolean | undefined
}

export interface ClientTlsSettings extends TlsSettings {
  readonly insecure: boolean
  readonly insecure_skip_verify: boolean
  readonly ca_file?: string | undefined
  readonly ca_pem?: string | undefined
  readonly include_system_ca_certs_pool: boolean
  readonly server_name_override?: string | undefined
}

/** True where a client speaks TLS. As in the Collector, `insecure` is overruled by an authority to check the server with. */
export function wantsTls(settings: ClientTlsSettings): boolean {
  return !settings.insecure || Boolean(settings.ca_file || settings.ca_pem)
}
