import type { Config } from '../../../../extensions/health_check/fields.ts'
import { resolve } from '../../../contract/support/subjects.ts'

/** What options may name; tests hand in others under these ids. */
const NAMED = {
  'bearertokenauth/doorman': { token: 'secret' },
  'memory_limiter/gate': { check_interval: '1s', limit_mib: 4000 },
}

/** The options as the loader fills them. */
export async function healthConfig(options: object): Promise<Config> {
  const config = await resolve({
    extensions: { health_check: options, ...NAMED },
    receivers: { nop: {} },
    exporters: { nop: {} },
    service: {
      extensions: ['health_check', ...Object.keys(NAMED)],
      pipelines: { traces: { receivers: ['nop'], exporters: ['nop'] } },
    },
  })
  return config.extensions['health_check']!.config as unknown as Config
}
