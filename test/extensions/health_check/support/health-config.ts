import type { Config } from '../../../../extensions/health_check/fields.ts'
import { resolve } from '../../../contract/support/subjects.ts'

/** The options as the loader fills them. */
export async function healthConfig(options: object): Promise<Config> {
  const config = await resolve({
    extensions: { health_check: options },
    receivers: { nop: {} },
    exporters: { nop: {} },
    service: { extensions: ['health_check'], pipelines: { traces: { receivers: ['nop'], exporters: ['nop'] } } },
  })
  return config.extensions['health_check']!.config as unknown as Config
}
