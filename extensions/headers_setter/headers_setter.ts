import { type ConfigProblem, define } from '../../src/component/define.ts'
import { field } from '../../src/config/field.ts'
import { headerProblems } from '../../src/transport/headers.ts'

const SOURCES = ['value', 'value_file', 'from_context', 'from_attribute'] as const

export default define({
  kind: 'extension',
  type: 'headers_setter',
  stability: 'beta',
  signals: [],
  summary: "Sets headers of requests to fixed values, or to what came with the client's request: tenants, for example.",
  config: {
    headers: field.list(
      'What to do, in this order.',
      field.object(
        'One header.',
        {
          action: field.enum(
            '`insert` where it is not there, `update` where it is, `upsert` always, `delete`.',
            ['insert', 'update', 'upsert', 'delete'],
            { default: 'upsert' },
          ),
          key: field.string('Name of the header.', { required: true, example: 'X-Scope-OrgID' }),
          value: field.secret('Its value.'),
          value_file: field.string('A file with its value, read again when it changes.'),
          from_context: field.string(
            "The header or metadata of the client's request that has the value; the receiver keeps it with `include_metadata`.",
          ),
          from_attribute: field.string(
            "What the receiver's authenticator knows of the client that is the value, such as `username`.",
          ),
          default_value: field.secret('The value where the client sent none.'),
        },
        { default: {} },
      ),
      { required: true },
    ),
    additional_auth: field.extension('Asked for headers before, whose headers can then be changed here.'),
  },
  check(config) {
    const problems: ConfigProblem[] = []
    if (config.headers.length === 0)
      problems.push({ path: ['headers'], message: 'missing headers configuration; list at least one' })
    for (const [index, header] of config.headers.entries()) {
      const path = ['headers', index]
      const given = SOURCES.filter((source) => header[source] !== undefined)
      for (const { message } of headerProblems({ [header.key]: header.value ?? '' }))
        problems.push({ path: [...path, 'key'], message })
      if (header.action === 'delete') {
        if (given.length > 0)
          problems.push({ path: [...path, given[0]!], message: 'deleting needs no value; leave it out' })
      } else if (given.length === 0) {
        problems.push({
          path: [...path, 'key'],
          message: "missing header source, must be 'from_context', 'from_attribute', 'value_file' or 'value'",
        })
      } else if (given.length > 1) {
        problems.push({
          path: [...path, given[1]!],
          message: `invalid header source, must be one of 'from_context', 'from_attribute', 'value_file' and 'value'; got ${given.join(' and ')}`,
        })
      }
      if (
        header.default_value !== undefined &&
        header.from_context === undefined &&
        header.from_attribute === undefined
      ) {
        problems.push({
          path: [...path, 'default_value'],
          message: 'only what the client sends can be missing; use value',
        })
      }
    }
    return problems
  },
  async create(config, ctx) {
    const { HeadersSetter } = await import('./setter.ts')
    return new HeadersSetter(config, ctx)
  },
})
