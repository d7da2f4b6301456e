// One lane's share of a test about ports: binds what it is told to and says who it is to everybody who connects.
import { createServer } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { type Binding, bind } from '../../../src/transport/bind.ts'
import type { ListenAddress } from '../../../src/transport/listen-address.ts'
import { type BoundAddress, sharePorts } from '../../../src/transport/port-sharing.ts'

const { lane, first, ports, connections, addresses } = workerData as {
  readonly lane: number
  readonly first: boolean
  readonly ports: readonly BoundAddress[]
  readonly connections: SharedArrayBuffer
  readonly addresses: readonly ListenAddress[]
}
const bound: BoundAddress[] = []
sharePorts({ lane, first, bound: ports, connections, onBound: (address) => bound.push(address) })

const bindings: Binding[] = []
parentPort!.on('message', ({ busyMs }: { readonly busyMs: number }) => {
  const end = performance.now() + busyMs
  while (performance.now() < end);
  void Promise.all(bindings.map((binding) => binding.close())).then(() => {
    parentPort!.postMessage('closed')
    parentPort!.close()
  })
})
try {
  for (const address of addresses) {
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.end(`lane ${lane}`)
    })
    bindings.push(await bind(server, address, 'test.endpoint'))
  }
  parentPort!.postMessage({ addresses: bindings.map((binding) => binding.address), bound })
} catch (error) {
  const { code, message } = error as { code: string; message: string }
  parentPort!.postMessage({ code, message })
  parentPort!.close()
}
