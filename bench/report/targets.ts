import type { Target } from '../cases.ts'
import { type EngineResult, ratiosOf, valuesOf } from './figures.ts'
import { type Spread, show, spread } from './statistics.ts'

export interface Verdict {
  readonly text: string
  readonly reached: boolean
  readonly value: Spread
}

/** How a target stands; undefined where what it compares was not measured. */
export function judge(target: Target, results: readonly EngineResult[]): Verdict | undefined {
  const runsOf = (engine: string) => results.find((result) => result.engine === engine)?.runs ?? []
  const own = valuesOf(target.figure, runsOf('sluice'))
  if (own.length === 0) return undefined
  if ('than' in target) {
    const ratios = ratiosOf(target.figure, runsOf('sluice'), runsOf(target.than))
    if (ratios.length === 0) return undefined
    const value = spread(ratios)
    const atLeast = 'atLeastTimes' in target
    const bound = atLeast ? target.atLeastTimes : target.atMostTimes
    const reached = atLeast ? value.median >= bound : value.median <= bound
    return verdict(`${target.figure} ${show(value, 2)}x that of ${target.than}`, atLeast, `${bound}x`, reached, value)
  }
  const value = spread(own)
  const atLeast = 'atLeast' in target
  const bound = atLeast ? target.atLeast : target.atMost
  const reached = atLeast ? value.median >= bound : value.median <= bound
  return verdict(`${target.figure} ${show(value, 2)}`, atLeast, String(bound), reached, value)
}

function verdict(what: string, atLeast: boolean, bound: string, reached: boolean, value: Spread): Verdict {
  return { text: `${what}; target ${atLeast ? '≥' : '≤'} ${bound}: ${reached ? 'reached' : 'MISSED'}`, reached, value }
}
