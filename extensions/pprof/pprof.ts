import { type ConfigProblem, define } from '../../src/component/define.ts'
import { field } from '../../src/config/field.ts'
import { parseListenAddress } from '../../src/transport/listen-address.ts'

const NO_GOROUTINES = 'it samples goroutines, which Node does not have'

export default define({
  kind: 'extension',
  type: 'pprof',
  place: 'host',
  stability: 'beta',
  signals: [],
  summary: 'Serves CPU and heap profiles of the running engine, in the format and at the paths of Go’s pprof.',
  config: {
    endpoint: field.string('Where it listens, `host:port`. Whoever reaches it can slow the engine down.', {
      default: 'localhost:1777',
    }),
    save_to_file: field.string('Measures the CPU from start to stop and writes that profile here, gzipped.', {
      default: '',
    }),
    block_profile_fraction: field.noEffect('Samples blocking events.', NO_GOROUTINES),
    mutex_profile_fraction: field.noEffect('Samples contended mutexes.', NO_GOROUTINES),
    dialer: field.noEffect('Options of outgoing connections.', 'it makes none; the Collector does not read it either'),
  },
  check(config) {
    const problems: ConfigProblem[] = []
    const address = parseListenAddress(config.endpoint, 'tcp')
    if (typeof address === 'string') problems.push({ path: ['endpoint'], message: address })
    return problems
  },
  async create(config, ctx) {
    const { PprofExtension } = await import('./extension.ts')
    return new PprofExtension(config, ctx)
  },
})
