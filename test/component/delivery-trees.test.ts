import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Delivery,
  type Failure,
  fanOut,
  merge,
  type Outcome,
  replace,
  split,
  type Verdict,
} from '../../src/component/delivery.ts'
import { opaqueBatch, type Tracked, track } from '../support/deliveries.ts'

const failed = (verdict: Verdict): Failure => ({ verdict, reason: verdict, message: verdict })
const SEVERITY = ['ok', 'reject', 'retry', 'stopping'] as const

/** What a leaf tells: perhaps an answer, then an outcome; after a refusal, which says `retry`, no better one. */
interface Plan {
  readonly answer: 'admit' | 'refuse' | undefined
  readonly outcome: (typeof SEVERITY)[number]
}

interface Leaf {
  readonly delivery: Delivery
  /** Indexes of the first deliveries that it carries items of. */
  readonly roots: ReadonlySet<number>
  answered: boolean
  /** Answered by a refusal, or failed before any answer. */
  refused: boolean
  settled: Outcome | undefined
  /** How often it was told that everybody has given up. */
  told: number
}

const plans: fc.Arbitrary<Plan> = fc
  .record({ answer: fc.constantFrom('admit', 'refuse', undefined), outcome: fc.constantFrom(...SEVERITY) })
  .map(({ answer, outcome }) => ({
    answer,
    outcome: answer === 'refuse' && outcome !== 'stopping' ? 'retry' : outcome,
  }))

/** Which delivery to take next and what to make of it, as numbers that wrap around what there is. */
const steps = fc.array(
  fc.record({
    op: fc.constantFrom('split', 'fanOut', 'replace', 'merge'),
    at: fc.nat(50),
    width: fc.integer({ min: 1, max: 4 }),
  }),
  { maxLength: 12 },
)

type Step = { readonly op: string; readonly at: number; readonly width: number }

function build(rootCount: number, script: readonly Step[]): { roots: Tracked[]; leaves: Leaf[] } {
  const roots = Array.from({ length: rootCount }, () => track(opaqueBatch(1)))
  let open = roots.map(({ delivery }, i) => ({ delivery, roots: new Set([i]) }))
  for (const { op, at, width } of script) {
    const start = at % open.length
    const taken = open[start]!
    if (op === 'merge') {
      const parents = open.slice(start, start + width)
      const joined = merge(
        parents.map(({ delivery }) => delivery),
        opaqueBatch(1),
      )
      const above = new Set(parents.flatMap((parent) => [...parent.roots]))
      open = [...open.slice(0, start), { delivery: joined, roots: above }, ...open.slice(start + width)]
      continue
    }
    const made =
      op === 'split'
        ? split(
            taken.delivery,
            Array.from({ length: width }, () => opaqueBatch(1)),
          )
        : op === 'fanOut'
          ? fanOut(taken.delivery, width)
          : [replace(taken.delivery, opaqueBatch(1))]
    open.splice(start, 1, ...made.map((delivery) => ({ delivery, roots: taken.roots })))
  }
  return {
    roots,
    leaves: open.map((each) => {
      const leaf: Leaf = { ...each, answered: false, refused: false, settled: undefined, told: 0 }
      leaf.delivery.onAbandoned(() => void leaf.told++)
      return leaf
    }),
  }
}

describe('any tree of splits, copies, replacements and merges', () => {
  it('answers and settles every first delivery as its last ones say, in whatever order they speak', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        steps,
        fc.array(plans, { minLength: 60, maxLength: 60 }),
        fc.infiniteStream(fc.nat(1000)),
        (rootCount, script, planned, random) => {
          const { roots, leaves } = build(rootCount, script)
          // Every leaf speaks once or twice; the order among leaves is drawn. A client leaves at any moment, or does not.
          const pending = leaves.map((leaf, i) => ({ leaf, plan: planned[i % planned.length]! }))
          const gone = new Set<number>()
          while (pending.length > 0) {
            const leaver = random.next().value! % (4 * roots.length)
            if (leaver < roots.length && !gone.has(leaver)) {
              gone.add(leaver)
              leave(roots, leaves, leaver, gone)
              check(roots, leaves, gone)
              continue
            }
            const i = random.next().value! % pending.length
            const { leaf, plan } = pending[i]!
            if (plan.answer !== undefined && !leaf.answered) {
              if (plan.answer === 'admit') leaf.delivery.admit()
              else leaf.delivery.refuse(failed('retry'))
              leaf.refused = plan.answer === 'refuse'
              leaf.answered = true
            } else {
              const outcome: Outcome =
                plan.outcome === 'ok' ? { ok: true, rejected: 0 } : { ok: false, failure: failed(plan.outcome) }
              if (!leaf.answered) leaf.refused = !outcome.ok
              leaf.answered = true
              leaf.settled = outcome
              pending.splice(i, 1)
              leaf.delivery.settle(outcome)
            }
            check(roots, leaves, gone)
          }
          for (const { outcome } of roots) expect(outcome).toBeDefined()
        },
      ),
      { numRuns: 400 },
    )
  })
})

/** Lets one client go; whoever is left with nobody is told, once, and nobody else is. */
function leave(roots: readonly Tracked[], leaves: readonly Leaf[], leaver: number, gone: ReadonlySet<number>): void {
  const before = leaves.map(({ told }) => told)
  roots[leaver]!.leave()
  for (const [i, { answered, roots: above, told }] of leaves.entries()) {
    const nobodyLeft = above.has(leaver) && [...above].every((root) => gone.has(root) && !answeredAt(roots[root]!))
    expect(told - before[i]!).toBe(nobodyLeft && !answered ? 1 : 0)
  }
}

function answeredAt({ events }: Tracked): boolean {
  return events.length > 0
}

function check(roots: readonly Tracked[], leaves: readonly Leaf[], gone: ReadonlySet<number>): void {
  for (const [i, { events, outcome, delivery }] of roots.entries()) {
    const mine = leaves.filter((leaf) => leaf.roots.has(i))
    const answers = events.filter((event) => event === 'admitted' || event.startsWith('refused'))
    expect(answers.length).toBeLessThanOrEqual(1)
    expect(events.slice(0, answers.length)).toEqual(answers)
    if (mine.every(({ settled }) => settled)) {
      const worst = Math.max(
        ...mine.map(({ settled }) => SEVERITY.indexOf(settled!.ok ? 'ok' : settled!.failure.verdict)),
      )
      expect(outcome?.ok === true ? 'ok' : outcome?.failure.verdict).toBe(SEVERITY[worst])
    } else {
      expect(outcome).toBeUndefined()
      // Answered as soon as all have answered, and not before.
      expect(answers.length).toBe(mine.every(({ answered }) => answered) ? 1 : 0)
    }
    if (answers[0] === 'admitted') expect(mine.some(({ refused }) => refused)).toBe(false)
    // A client that was told to come again is not told otherwise by the outcome.
    if (answers[0]?.startsWith('refused') && outcome !== undefined) expect(outcome.ok).toBe(false)
    expect(delivery.awaited).toBe(answers.length === 0 && outcome === undefined && !gone.has(i))
    expect(delivery.abandoned).toBe(answers.length === 0 && outcome === undefined && gone.has(i))
  }
  for (const { delivery, roots: above, answered, told } of leaves) {
    if (answered) expect([delivery.awaited, delivery.abandoned]).toEqual([false, false])
    if ([...above].every((i) => !roots[i]!.delivery.awaited)) expect(delivery.awaited).toBe(false)
    if (!answered) expect(delivery.abandoned).toBe([...above].every((i) => roots[i]!.delivery.abandoned))
    expect(told).toBeLessThanOrEqual(1)
  }
}
