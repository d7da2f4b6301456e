import { tryMutations } from '../otlp/mutations.ts'

/*
 * `tools/node test/long/wire-mutations.ts [mutations] [seed]`: damages requests, ten million times by default, and checks what is made of
 * each (test/otlp/mutations.ts).
 */

const total = Number(process.argv[2] ?? 10_000_000)
const seed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 31))
const SLICE = 100_000
const SIGNALS = ['traces', 'metrics', 'logs'] as const

console.log(`seed ${seed}`)
for (let done = 0, slice = 0; done < total; done += SLICE, slice++) {
  const signal = SIGNALS[slice % SIGNALS.length]!
  const count = Math.min(SLICE, total - done)
  const { accepted, refused, compared } = tryMutations(signal, count, seed + slice)
  console.log(`${done + count} mutations; ${signal}: ${accepted} accepted (${compared} compared), ${refused} refused`)
}
