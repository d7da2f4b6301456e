import { registryOf } from '../component/registry.ts'
import { configSchema } from '../config/schema.ts'
import builtIn from './components.ts'

/** The JSON Schema of the whole configuration, as text. */
export function schema(): string {
  return `${JSON.stringify(configSchema(registryOf(builtIn)), null, 2)}\n`
}
