import { COMPONENT_PAIRS } from './component-pairs.ts'
import type { Pair } from './pair.ts'
import { SERVICE_PAIRS } from './service-pairs.ts'

/** Every older form that there is. */
export const PAIRS: readonly Pair[] = [...COMPONENT_PAIRS, ...SERVICE_PAIRS]
