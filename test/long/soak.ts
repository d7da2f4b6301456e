/**
 * `npm run test:long -- soak [--minutes 60] [--html FILE]`: an engine at half of what a core does, ten minutes if not said otherwise. Fails
 * where memory grows or an item is missing. The same as `npm run bench -- soak --against none`, whose options it takes.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const run = fileURLToPath(new URL('../../bench/run.ts', import.meta.url))
const { status } = spawnSync(process.execPath, [run, 'soak', '--against', 'none', ...process.argv.slice(2)], {
  stdio: 'inherit',
})
process.exitCode = status ?? 1
