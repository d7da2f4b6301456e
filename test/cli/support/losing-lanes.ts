// The command `run` with a fault: its first lane is ended from outside, again and again, until it gives up.
import { siblingModule } from '../../../src/lanes/sibling-module.ts'
import { Supervisor } from '../../../src/lanes/supervisor.ts'

const supervisor = new Supervisor(siblingModule(new URL('../../../src/cli/run.ts', import.meta.url).href, 'components'))
const { runEngine } = await import('../../../src/cli/engine.ts')
const [config = '', ...set] = process.argv.slice(2)
const ended = runEngine(supervisor, { config: [config], set, featureGates: [] })
let over = false
void ended.then(() => {
  over = true
})
let before: unknown
while (!over) {
  const lane = supervisor.threads.get(0)
  if (lane !== undefined && lane !== before) {
    before = lane
    await supervisor.ready()
    await supervisor.kill(0)
  }
  await new Promise((resolve) => setTimeout(resolve, 10))
}
process.exitCode = await ended
