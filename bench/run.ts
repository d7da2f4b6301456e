/**
 * The bench suite: `node bench/run.ts [case…] [--seconds N] [--repeats N] [--smoke] [--json FILE]`. README.md says how to
 * read it. Ends with 1 where an item is lost, an engine fails or, in a full run, a target is missed.
 */
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { CASES, type Case } from './cases.ts'
import { missing, PINNED } from './engine.ts'
import { allocation, type Outcome, type Pace, start, throughput } from './measure.ts'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '4' },
    repeats: { type: 'string', default: '3' },
    smoke: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
})

const unknown = positionals.filter((name) => !CASES.some((known) => known.name === name))
if (unknown.length > 0) {
  console.error(`no such case: ${unknown.join(', ')}; there are ${CASES.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}

const pace: Pace = options.smoke
  ? { warmUp: { cpuMs: 200, atMostMs: 1000 }, windowMs: 1000, repeats: 1 }
  : {
      warmUp: { cpuMs: 3000, atMostMs: 12_000 },
      windowMs: Number(options.seconds) * 1000,
      repeats: Number(options.repeats),
    }

function measure(spec: Case): Promise<Outcome> {
  switch (spec.kind) {
    case 'throughput':
      return throughput(spec, pace)
    case 'start':
      return start(spec, options.smoke ? 1 : spec.runs)
    case 'allocation':
      return allocation(spec, pace)
  }
}

const chosen = positionals.length > 0 ? CASES.filter(({ name }) => positionals.includes(name)) : CASES
console.log(`node ${process.versions.node} · ${cpus()[0]?.model ?? 'unknown CPU'}`)
if (options.smoke) console.log('smoke: engines are cold and a second is short, so no target counts')
if (!PINNED) console.log('no taskset here: engine and load share cores, so read the ratios only')

const figures: Record<string, unknown> = {}
const broken: string[] = []
const missed: string[] = []
let passed = 0
let skipped = 0
for (const spec of chosen) {
  console.log(`\n${spec.name}: ${spec.summary}`)
  const reason = spec.kind === 'throughput' ? spec.engines.map(missing).find((why) => why !== undefined) : undefined
  if (reason !== undefined) {
    console.log(`  not run: ${reason}`)
    // CI installs every engine: one that is not there is a failure, not a choice.
    if (process.env.CI) broken.push(`${spec.name}: ${reason}`)
    else skipped++
    continue
  }
  try {
    const outcome = await measure(spec)
    for (const line of outcome.lines) console.log(`  ${line}`)
    figures[spec.name] = outcome.figures
    broken.push(...outcome.broken.map((problem) => `${spec.name}: ${problem}`))
    missed.push(...outcome.missed)
    if (outcome.broken.length === 0) passed++
  } catch (error) {
    broken.push(`${spec.name}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

console.log()
for (const problem of broken) console.log(`FAILED ${problem}`)
// A second is too short for a target: the smoke run asks only whether everything runs and nothing is lost.
if (!options.smoke) for (const target of missed) console.log(`MISSED ${target}`)
if (options.json !== undefined)
  writeFileSync(options.json, `${JSON.stringify({ node: process.versions.node, figures }, null, 2)}\n`)
const failed = chosen.length - passed - skipped
console.log(`bench: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} not run` : ''}`)
process.exitCode = broken.length > 0 || (!options.smoke && missed.length > 0) ? 1 : 0
