// The one place under src/ that names components: the command line brings the built-in ones along.
import connectors from '../../connectors/index.ts'
import exporters from '../../exporters/index.ts'
import extensions from '../../extensions/index.ts'
import processors from '../../processors/index.ts'
import receivers from '../../receivers/index.ts'
import type { ComponentLists } from '../component/registry.ts'

const builtIn: ComponentLists = { receivers, processors, exporters, connectors, extensions }

export default builtIn
