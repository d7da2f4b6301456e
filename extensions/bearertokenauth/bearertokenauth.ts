import { type ConfigProblem, define } from '../../src/component/define.ts'
import { field } from '../../src/config/field.ts'
import { headerProblems } from '../../src/transport/headers.ts'

export default define({
  kind: 'extension',
  type: 'bearertokenauth',
  stability: 'beta',
  signals: [],
  summary: 'Sends a bearer token with requests, or asks clients for one.',
  config: {
    header: field.string('The header that carries the token.', { default: 'Authorization' }),
    scheme: field.string('What stands in front of the token; empty for nothing.', { default: 'Bearer' }),
    token: field.secret('The token.'),
    tokens: field.list(
      'Several: clients may show any of them, requests carry the first.',
      field.secret('One token.', { required: true }),
      {
        default: [],
      },
    ),
    filename: field.string(
      'A file with one token a line, read again when it changes; `token` and `tokens` are left unread then.',
      {
        example: '/var/run/secrets/token',
      },
    ),
  },
  check(config) {
    const problems: ConfigProblem[] = []
    if (config.token !== undefined && config.tokens.length > 0) {
      problems.push({
        path: ['tokens'],
        message: 'either tokens or token should be provided, not both; put all into tokens',
      })
    }
    if ((config.token ?? '') === '' && config.tokens.length === 0 && config.filename === undefined) {
      problems.push({ path: ['token'], message: 'no bearer token provided; set token, tokens or filename' })
    }
    for (const { message } of headerProblems({ [config.header]: config.scheme })) {
      problems.push({ path: ['header'], message })
    }
    return problems
  },
  async create(config, ctx) {
    const { BearerTokens } = await import('./tokens.ts')
    return new BearerTokens(config, ctx)
  },
})
