import { parseArgs } from 'node:util'
import { CASES, type Case } from './cases.ts'
import { ENGINES, type Engine } from './engines.ts'
import { GENERATORS, type Generator } from './generators.ts'
import type { Pace } from './measure/run.ts'

export const USAGE = `npm run bench -- [case…] [options]

  --against LIST    engines beside Sluice, of ${ENGINES.slice(1).join(', ')};
                    "none" for Sluice alone (default: all of a case but rotel)
  --seconds N       length of a window (default 5)
  --repeats N       of every case (default 3)
  --minutes N       length of the soak (default 10)
  --generator NAME  headline cases with ${GENERATORS.join(' or ')} as well
  --json FILE       one line a case and engine
  --html FILE       one page with plots
  --smoke           every case for a moment: does it run, is every item accounted for?
  --list            names of the cases

Cases: ${CASES.map(({ name }) => name).join(', ')}`

/** What runs only where it is asked for; a smoke does without the same program with another setting. */
const UNASKED_NEVER: readonly Engine[] = ['sluice', 'rotel']
const NOT_IN_SMOKE: readonly Engine[] = [...UNASKED_NEVER, 'otelcol-gogc400']
/** Memory takes longer to show than CPU. */
const OVERLOAD_WINDOWS = 6

export interface Options {
  readonly cases: readonly Case[]
  readonly against: readonly Engine[]
  readonly generator: Generator | undefined
  readonly smoke: boolean
  readonly json: string | undefined
  readonly html: string | undefined
  readonly pace: Pace
}

/** Throws an Error with what is wrong in words. */
export function readOptions(args: readonly string[]): Options | 'help' | 'list' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      against: { type: 'string' },
      seconds: { type: 'string', default: '5' },
      repeats: { type: 'string', default: '3' },
      minutes: { type: 'string', default: '10' },
      generator: { type: 'string' },
      json: { type: 'string' },
      html: { type: 'string' },
      smoke: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  if (values.list) return 'list'
  const known = CASES.map(({ name }) => name)
  for (const name of positionals) oneOf('case', name, known)
  const named = positionals.length > 0 ? CASES.filter(({ name }) => positionals.includes(name)) : undefined
  const generator = values.generator === undefined ? undefined : oneOf('generator', values.generator, GENERATORS)
  const headlines = CASES.filter((spec) => spec.kind === 'throughput' && spec.headline)
  return {
    cases: named ?? (generator === undefined ? CASES.filter(({ byHand }) => !byHand) : headlines),
    against:
      values.against === undefined
        ? ENGINES.filter((engine) => !(values.smoke ? NOT_IN_SMOKE : UNASKED_NEVER).includes(engine))
        : values.against === 'none'
          ? []
          : values.against.split(',').map((name) => oneOf('engine', name, ENGINES)),
    generator,
    smoke: values.smoke,
    json: values.json,
    html: values.html,
    pace: values.smoke
      ? {
          warmUp: { cpuMs: 50, atMostMs: 150 },
          windowMs: 300,
          crowd: { connections: 8, inFlight: 4 },
          overloadMs: 300,
          restMs: 200,
          repeats: 1,
          settleMs: 200,
          soakMs: 300,
        }
      : {
          warmUp: { cpuMs: 3000, atMostMs: 12_000 },
          windowMs: positive('seconds', values.seconds) * 1000,
          crowd: { connections: Number.POSITIVE_INFINITY, inFlight: Number.POSITIVE_INFINITY },
          overloadMs: positive('seconds', values.seconds) * 1000 * OVERLOAD_WINDOWS,
          restMs: 60_000,
          repeats: Math.ceil(positive('repeats', values.repeats)),
          settleMs: 10_000,
          soakMs: positive('minutes', values.minutes) * 60_000,
        },
  }
}

function oneOf<T extends string>(what: string, name: string, known: readonly T[]): T {
  const found = known.find((one) => one === name)
  if (found === undefined) throw new Error(`no such ${what}: ${name}; there are ${known.join(', ')}`)
  return found
}

function positive(option: string, text: string): number {
  const value = Number(text)
  if (!(value > 0) || !Number.isFinite(value)) throw new Error(`--${option}: expected a number above 0, got "${text}"`)
  return value
}
