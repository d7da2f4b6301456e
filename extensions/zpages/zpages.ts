import { define } from '../../src/component/define.ts'
import { pageServerProblems } from '../../src/component/http-server-problems.ts'
import { field } from '../../src/config/field.ts'
import { pageServerFields } from '../../src/config/page-server-fields.ts'

export default define({
  kind: 'extension',
  type: 'zpages',
  place: 'host',
  stability: 'beta',
  signals: [],
  summary: 'Serves plain pages about what runs: pipelines with their rates and losses, components, configuration.',
  config: {
    ...pageServerFields('localhost:55679'),
    expvar: field.object(
      'Memory and command line as JSON at `/debug/expvarz`.',
      { enabled: field.bool('Serves it.', { default: false }) },
      { default: {} },
    ),
  },
  check: (config) => pageServerProblems(config),
  async create(config, ctx) {
    const { Zpages } = await import('./extension.ts')
    return new Zpages(config, ctx)
  },
})
