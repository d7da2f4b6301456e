/**
 * Installs what the benches run beside Sluice, once a machine and version: `tools/node bench/peers/install.ts [name…]`. A full run
 * of the suite installs what it needs by itself.
 */
import { install } from '../../test/interop/peers/peer.ts'
import { BENCH_PEERS } from './registry.ts'

const names = process.argv.slice(2)
for (const peer of BENCH_PEERS) {
  if (names.length > 0 && !names.includes(peer.name)) continue
  try {
    console.log(`${peer.name}: ${install(peer)}`)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
