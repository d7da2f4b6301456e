import { FEATURE_GATES, type FeatureGate } from '../config/feature-gates.ts'
import { didYouMean } from '../config/nearest.ts'
import { layout } from './layout.ts'

/** What `sluice featuregate [id]` prints: a table of all, or one in full. Undefined where there is none of that id. */
export function featureGates(id?: string): string | undefined {
  if (id === undefined) {
    const rows = FEATURE_GATES.map((gate) => [gate.id, String(gate.enabled), gate.stage, gate.description])
    return layout([['ID', 'Enabled', 'Stage', 'Description'], ...rows])
  }
  const gate = FEATURE_GATES.find((each) => each.id === id)
  if (gate === undefined) return undefined
  return `Feature: ${gate.id}\nEnabled: ${gate.enabled}\nStage: ${gate.stage}\nDescription: ${gate.description}\nHere: ${here(gate)}\n`
}

/** What to say of an id that is none. */
export function noSuchGate(id: string): string {
  return `there is no feature gate "${id}"${didYouMean(
    id,
    FEATURE_GATES.map((gate) => gate.id),
  )}`
}

function here({ here: does }: FeatureGate): string {
  if (does === 'works') return 'works as in the Collector'
  return 'noEffect' in does ? `has no effect: ${does.noEffect}` : `not supported: ${does.unsupported}`
}
