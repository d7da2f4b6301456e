/**
 * Installs the peers of the interop tests, once a machine and version:
 *
 *   tools/node test/interop/install-peers.ts [name…]     all of them, or those named; prints where each lies
 *
 * Ends with 1, after the others, where one cannot be installed, and says what that one takes.
 */
import { install, isInstalled } from './peers/peer.ts'
import { PEERS } from './peers/registry.ts'

const names = process.argv.slice(2)
const unknown = names.filter((name) => !PEERS.some((peer) => peer.name === name))
if (unknown.length > 0) {
  console.error(`no such peer: ${unknown.join(', ')}; there are ${PEERS.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}

for (const peer of PEERS) {
  if (names.length > 0 && !names.includes(peer.name)) continue
  const was = isInstalled(peer)
  const begun = performance.now()
  try {
    const binary = install(peer)
    console.log(
      `${peer.name}: ${binary}${was ? '' : `, installed in ${((performance.now() - begun) / 1000).toFixed(0)} s`}`,
    )
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
