import type { ConfigProblem } from '../../../src/component/define.ts'
import { decodeFields, INVALID } from '../../../src/config/decode.ts'
import type { ConfigOf, Fields } from '../../../src/config/field.ts'
import { Report } from '../../../src/config/problem.ts'
import { Source, treeOf } from '../../../src/config/tree.ts'

interface Configurable<F extends Fields> {
  readonly config: F
  check?(config: ConfigOf<F>): readonly ConfigProblem[]
}

/** A component's configuration from plain data, as the loader would make it; throws where the loader would refuse. */
export function configured<F extends Fields>(definition: Configurable<F>, data: unknown): ConfigOf<F> {
  const { config, problems } = checked(definition, data)
  if (config === undefined || problems.length > 0) throw new Error(problems.join('\n'))
  return config
}

/** The same, with what is wrong as `path: message`. */
export function checked<F extends Fields>(
  definition: Configurable<F>,
  data: unknown,
): { config?: ConfigOf<F>; problems: string[] } {
  const report = new Report()
  const place = { source: new Source('test', ''), offset: 0 }
  const decoded = decodeFields(definition.config, treeOf(data, place), [], place, report)
  if (decoded === INVALID || report.problems.length > 0) {
    return { problems: report.problems.map(({ path, message }) => `${String(path)}: ${message}`) }
  }
  const config = decoded as ConfigOf<F>
  const problems = (definition.check?.(config) ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`)
  return { config, problems }
}
