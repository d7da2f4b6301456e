/**
 * The bench suite: `npm run bench -- [case…] [options]`, `--help` lists them; README.md says how to read it. Ends with 1 where an item is
 * lost, an engine fails or, in a full run, a target is missed; with 2 where the options make no sense.
 */
import { appendFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { install } from '../test/interop/peers/peer.ts'
import { CASES, type Case } from './cases.ts'
import { type Engine, missing, peerOf } from './engines.ts'
import { missingGenerator } from './generators.ts'
import { agreement } from './measure/agreement.ts'
import { allocation } from './measure/allocation.ts'
import { idle, start } from './measure/at-rest.ts'
import { overload } from './measure/overload.ts'
import type { Outcome } from './measure/run.ts'
import { soak } from './measure/soak.ts'
import { throughput } from './measure/throughput.ts'
import { type Options, readOptions, USAGE } from './options.ts'
import { grpcGo } from './peers/registry.ts'
import { besideLoad, hurry, PINNED } from './processes.ts'
import { lineOf, type Run, summary } from './report/figures.ts'
import { type Measured, page } from './report/html.ts'
import { remarks, table } from './report/table.ts'
import { judge } from './report/targets.ts'

const options = understand()
// The runner sleeps while engines work, but what it does it does on the load's core.
if (options.smoke) hurry()
else besideLoad(process.pid)
const machine = `node ${process.versions.node} · ${cpus()[0]?.model ?? 'unknown CPU'} · ${cpus().length} cores · ${new Date().toISOString()}`
console.log(machine)
if (options.smoke) console.log('smoke: engines are cold, share the cores and have a moment, so no target counts')
if (!PINNED) console.log('no taskset here: engine and load share cores, so read the ratios only')

const measured: Measured[] = []
const broken: string[] = []
const missed: string[] = []
let passed = 0
/** What others have run in a smoke, which does not ask them the same twice. */
const seen = new Set<string>()
if (options.json !== undefined) writeFileSync(options.json, '')
// A smoke measures nothing, and waits most of the time.
await inTurns(options.cases, options.smoke ? 2 : 1, async (spec) => {
  const lines = [`\n${spec.name}: ${spec.summary}`]
  if (!options.smoke) console.log(lines.pop())
  const problems = await run(spec, lines).catch((error: unknown) => [
    error instanceof Error ? error.message : String(error),
  ])
  if (problems.length === 0) passed++
  for (const line of [...lines, ...problems.map((text) => `  FAILED ${text}`)]) console.log(line)
  broken.push(...problems.map((text) => `${spec.name}: ${text}`))
})

console.log()
for (const problem of broken) console.log(`FAILED ${problem}`)
// A moment is too short for a target: the smoke run asks only whether everything runs and nothing is lost.
if (!options.smoke) for (const target of missed) console.log(`MISSED ${target}`)
if (options.html !== undefined) writeFileSync(options.html, page(machine, measured))
console.log(`bench: ${passed} passed, ${options.cases.length - passed} failed`)
process.exitCode = broken.length > 0 || (!options.smoke && missed.length > 0) ? 1 : 0

/** Does `work` for all of them in order, so many at a time. */
async function inTurns<T>(all: readonly T[], atOnce: number, work: (one: T) => Promise<void>): Promise<void> {
  const rest = all.values()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const one of rest) await work(one)
    }),
  )
}

function understand(): Options {
  try {
    const options = readOptions(process.argv.slice(2))
    if (options !== 'help' && options !== 'list') return options
    console.log(options === 'help' ? USAGE : CASES.map(({ name, summary }) => `${name}: ${summary}`).join('\n'))
    process.exit(0)
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
    process.exit(2)
  }
}

/** Measures a case and adds what people read of it to `lines`; gives what makes its figures worthless. */
async function run(spec: Case, lines: string[]): Promise<readonly string[]> {
  const outcome = await measure(spec, available(spec, lines))
  const targets = options.smoke ? [] : spec.targets
  const said = [
    ...table(outcome.results),
    ...remarks(targets, outcome.results),
    ...(options.smoke ? [] : outcome.notes),
  ]
  lines.push(...said.map((line) => `  ${line}`))
  measured.push({ spec, results: outcome.results, notes: outcome.notes })
  if (options.json !== undefined) {
    for (const result of outcome.results) appendFileSync(options.json, `${JSON.stringify(lineOf(spec.name, result))}\n`)
  }
  missed.push(...outcome.missed)
  for (const target of spec.targets) {
    const verdict = judge(target, outcome.results)
    if (verdict === undefined && summary(target.figure, runsOf(outcome)) === null) {
      missed.push(`${spec.name}: ${target.figure} could not be measured; take more --seconds`)
    }
    if (verdict !== undefined && !verdict.reached) missed.push(`${spec.name}: ${verdict.text}`)
  }
  return outcome.broken
}

function runsOf({ results }: Outcome): readonly Run[] {
  return results.find(({ engine }) => engine === 'sluice')?.runs ?? []
}

function measure(spec: Case, engines: readonly Engine[]): Promise<Outcome> {
  const { pace, generator } = options
  switch (spec.kind) {
    case 'throughput':
      if (generator === undefined) return throughput(spec, engines, pace)
      if (generator === 'grpc-go' && !options.smoke) install(grpcGo)
      if (missingGenerator(generator)) throw new Error(`${generator}: ${missingGenerator(generator)}`)
      if (
        spec.load.protocol !== 'grpc' ||
        spec.load.compression !== undefined ||
        spec.load.itemsPerSecond !== undefined
      ) {
        throw new Error(`${generator} makes plain gRPC requests as fast as they are answered, which is another case`)
      }
      return agreement(spec, engines, generator, pace)
    case 'soak':
      return soak(spec, engines, pace)
    case 'overload':
      return overload(spec, engines, pace)
    case 'start':
      return start(spec, engines, pace)
    case 'idle':
      return idle(spec, engines, pace)
    case 'allocation':
      return allocation(spec, pace)
  }
}

/** The engines of a case that were asked for. A full run installs what is missing; a smoke leaves it out and says so. */
function available(spec: Case, lines: string[]): readonly Engine[] {
  return spec.engines.filter((engine) => {
    if (engine !== 'sluice' && !options.against.includes(engine)) return false
    const asked = [engine, spec.kind, spec.pipeline, 'load' in spec && spec.load.signal].join(' ')
    if (options.smoke && engine !== 'sluice' && seen.has(asked)) return false
    seen.add(asked)
    const peer = peerOf(engine)
    if (peer !== undefined && !options.smoke) install(peer)
    const reason = missing(engine)
    if (reason !== undefined) lines.push(`  without ${engine}: ${reason}`)
    return reason === undefined
  })
}
