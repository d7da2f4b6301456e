import { field } from './field.ts'

const VERSIONS = ['1.0', '1.1', '1.2', '1.3'] as const

const READ_ONCE = 'certificates are read once, at start, in this version'

/** What both sides of a connection have: `configtls.Config` of the Collector. */
const common = {
  cert_file: field.string('Certificate of this side, with its chain, as a PEM file.', { example: 'server.crt' }),
  cert_pem: field.secret('The same as text.'),
  key_file: field.string('Private key of that certificate, as a PEM file.', { example: 'server.key' }),
  key_pem: field.secret('The same as text.'),
  min_version: field.enum('Oldest version of TLS that is spoken.', VERSIONS, { default: '1.2' }),
  max_version: field.enum('Newest version of TLS that is spoken; the newest there is when absent.', VERSIONS),
  cipher_suites: field.unsupported(
    'Cipher suites of TLS 1.2 and older, by IANA name.',
    "Node's default suites are used",
  ),
  curve_preferences: field.unsupported('Key exchanges, by name.', "Node's default key exchanges are used"),
  reload_interval: field.unsupported('Reads the certificate again this often.', READ_ONCE),
  tpm: field.unsupported('Keeps the private key in a TPM.', 'keys are PEM files or text'),
}

/** `tls` of a server: absent means clear text. */
export const serverTlsField = field.object('Serves over TLS; clear text when absent.', {
  ...common,
  client_ca_file: field.string(
    'Clients must show a certificate that one of these authorities (PEM file) signed: mTLS.',
  ),
  client_ca_file_reload: field.unsupported('Reads `client_ca_file` again when it changes.', READ_ONCE),
  ca_file: field.noEffect(
    'Authorities, as a PEM file.',
    "only Go's client side reads it; clients are checked by client_ca_file",
  ),
  ca_pem: field.noEffect(
    'Authorities as text.',
    "only Go's client side reads it; clients are checked by client_ca_file",
  ),
  include_system_ca_certs_pool: field.noEffect(
    'Trusts the system’s authorities too.',
    "only Go's client side reads it; clients are checked by client_ca_file",
  ),
})

/** `tls` of a client: on unless `insecure`. */
export const clientTlsField = field.object(
  'TLS of the connection; on unless `insecure`.',
  {
    ...common,
    insecure: field.bool('Sends in clear text.', { default: false }),
    insecure_skip_verify: field.bool('Encrypts, but does not check whose certificate the server shows.', {
      default: false,
    }),
    ca_file: field.string('Trusts servers whose certificate one of these authorities (PEM file) signed.', {
      example: 'ca.crt',
    }),
    ca_pem: field.string('The same as text.'),
    include_system_ca_certs_pool: field.bool('Trusts the well-known authorities besides `ca_file`.', {
      default: false,
    }),
    server_name_override: field.string("The name that is asked for and looked for in the server's certificate."),
  },
  { default: {} },
)
