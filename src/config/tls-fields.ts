import { TLS_CURVES, TLS_VERSIONS } from '../transport/tls-names.ts'
import { field } from './field.ts'

const VERSIONS = [...TLS_VERSIONS, ''] as const

/** What both sides of a connection have: `configtls.Config` of the Collector. */
const common = {
  cert_file: field.string('Certificate of this side, with its chain, as a PEM file.', { example: 'server.crt' }),
  cert_pem: field.secret('The same as text.'),
  key_file: field.string('Private key of that certificate, as a PEM file.', { example: 'server.key' }),
  key_pem: field.secret('The same as text.'),
  min_version: field.enum('Oldest version of TLS that is spoken.', VERSIONS, { default: '1.2' }),
  max_version: field.enum('Newest version of TLS that is spoken; the newest there is when absent.', VERSIONS),
  cipher_suites: field.list(
    "Cipher suites of TLS 1.2 and older, by IANA name; OpenSSL's choice when empty. Those of TLS 1.3 are always there.",
    field.string('`TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` and the like.', { required: true }),
    { default: [] },
  ),
  include_insecure_cipher_suites: field.bool('Lets `cipher_suites` name insecure ones.', { default: false }),
  curve_preferences: field.list(
    "Key exchanges, the best first; OpenSSL's choice when empty.",
    field.enum('A key exchange.', TLS_CURVES, { required: true }),
    { default: [] },
  ),
  reload_interval: field.duration(
    'Reads certificate, key and `ca_file` again when a connection is made and this much time has passed; 0 is never.',
    { default: '0s', min: 0 },
  ),
  tpm: field.unsupported(
    'Keeps the private key in a TPM.',
    "Node's OpenSSL has no provider for TPMs, so that such a key can sign nothing; keys are PEM files or text",
  ),
}

/** `tls` of a server: absent means clear text. */
export const serverTlsField = field.object('Serves over TLS; clear text when absent.', {
  ...common,
  client_ca_file: field.string(
    'Clients must show a certificate that one of these authorities (PEM file) signed: mTLS.',
  ),
  client_ca_file_reload: field.bool(
    'Reads `client_ca_file` again when it changes: looked for once a second, while clients connect.',
    { default: false },
  ),
  ca_file: field.noEffect(
    'Authorities, as a PEM file.',
    "only Go's client side reads it; clients are checked by client_ca_file",
  ),
  ca_pem: field.noEffect(
    'Authorities as text.',
    "only Go's client side reads it; clients are checked by client_ca_file",
  ),
  include_system_ca_certs_pool: field.bool(
    'Lets in clients as well whose certificate one of the authorities of the system signed; with `client_ca_file`.',
    { default: false },
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
    ca_file: field.string(
      'Trusts servers whose certificate one of these authorities (PEM file) signed; those of the system when absent.',
      {
        example: 'ca.crt',
      },
    ),
    ca_pem: field.string('The same as text.'),
    include_system_ca_certs_pool: field.bool('Trusts the authorities of the system besides `ca_file`.', {
      default: false,
    }),
    server_name_override: field.string("The name that is asked for and looked for in the server's certificate."),
  },
  { default: {} },
)
