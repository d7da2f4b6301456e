import { type ConfigProblem, define } from '../../src/component/define.ts'
import { field } from '../../src/config/field.ts'
import { parseHtpasswd } from './htpasswd.ts'

export default define({
  kind: 'extension',
  type: 'basicauth',
  stability: 'beta',
  signals: [],
  summary: 'Sends a user name and password with requests, or asks clients for them.',
  config: {
    htpasswd: field.object('Asks clients: who they may be.', {
      file: field.string('A file as `htpasswd` writes it, read again when it changes.', {
        example: '/etc/sluice/.htpasswd',
      }),
      inline: field.secret('Lines as in such a file; they win over those of the file.'),
    }),
    client_auth: field.object('Sends these with requests.', {
      username: field.string('Name of the user.'),
      username_file: field.string('A file with it, read again when it changes; wins over `username`.'),
      password: field.secret('The password.'),
      password_file: field.string('A file with it, read again when it changes; wins over `password`.'),
      aws_secrets_manager: field.unsupported(
        'Fetches both from AWS Secrets Manager.',
        'no AWS client is part of this version; mount the secret and use username_file and password_file',
      ),
    }),
  },
  check({ htpasswd, client_auth: client }) {
    const problems: ConfigProblem[] = []
    if (htpasswd !== undefined && client !== undefined) {
      problems.push({
        path: ['client_auth'],
        message:
          'only one of `htpasswd` and `client_auth` can be specified; make two extensions, basicauth/in and basicauth/out',
      })
    }
    const source = [htpasswd?.file, htpasswd?.inline, client?.username, client?.username_file]
    if (source.every((each) => (each ?? '') === '')) {
      problems.push({
        path: client === undefined ? ['htpasswd'] : ['client_auth', 'username'],
        message: 'no credential source provided; set htpasswd.file or htpasswd.inline, or client_auth.username',
      })
    }
    if (client?.username?.includes(':') === true) {
      problems.push({
        path: ['client_auth', 'username'],
        message: 'expected a name without ":", which ends it on the wire',
      })
    }
    if (htpasswd?.inline !== undefined) {
      for (const problem of parseHtpasswd(htpasswd.inline).problems)
        problems.push({ path: ['htpasswd', 'inline'], message: problem })
    }
    return problems
  },
  async create({ htpasswd, client_auth: client }, ctx) {
    if (htpasswd !== undefined) {
      const { PasswordServer } = await import('./server.ts')
      return new PasswordServer(htpasswd, ctx)
    }
    const { PasswordClient } = await import('./client.ts')
    return new PasswordClient(client ?? {}, ctx)
  },
})
