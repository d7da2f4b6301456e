import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../src/clock.ts'
import { ack } from '../../src/component/delivery.ts'
import { Mesh } from '../../src/lanes/mesh.ts'

/* A lane that settles at once whatever it is given, sends bare memory back, and tells on demand what CPU that took. */

const mesh = new Mesh({ lane: 1, lanes: 2, clock: systemClock })
mesh.enter('here', { consumer: { acknowledges: 'delivered', consume: ack } })
const { port, bare } = workerData as { readonly port: MessagePort; readonly bare: MessagePort }
mesh.connect(0, port)
bare.on('message', (memory: ArrayBuffer) => bare.postMessage(memory, [memory]))
parentPort!.on('message', () => {
  const { user, system } = process.threadCpuUsage()
  parentPort!.postMessage(user + system)
})
