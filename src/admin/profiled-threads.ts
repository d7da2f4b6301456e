import { Session } from 'node:inspector/promises'
import { getHeapSnapshot } from 'node:v8'
import type { Worker } from 'node:worker_threads'
import type { ProfiledThread } from '../component/host.ts'
import { laneName } from '../lanes/protocol.ts'

/** Average bytes between two samples of a heap profile: V8's own default, and Go's. */
const HEAP_SAMPLING_BYTES = 512 * 1024

/** The main thread through its own inspector session, lanes' workers through the handles that Node gives their parent. */
export function profiledThreads(workers: ReadonlyMap<number, Worker>): ProfiledThread[] {
  return [mainThread, ...[...workers].map(([lane, worker]) => workerThread(laneName(lane), worker))]
}

const mainThread: ProfiledThread = {
  name: 'main',
  async cpuProfile() {
    const session = new Session()
    session.connect()
    await session.post('Profiler.enable')
    await session.post('Profiler.start')
    return async () => {
      try {
        const { profile } = await session.post('Profiler.stop')
        return JSON.stringify(profile)
      } finally {
        session.disconnect()
      }
    }
  },
  async heapProfile() {
    const session = new Session()
    session.connect()
    await session.post('HeapProfiler.startSampling', { samplingInterval: HEAP_SAMPLING_BYTES })
    return async () => {
      try {
        const { profile } = await session.post('HeapProfiler.stopSampling')
        return JSON.stringify(profile)
      } finally {
        session.disconnect()
      }
    }
  },
  heapSnapshot: async () => getHeapSnapshot(),
}

function workerThread(name: string, worker: Worker): ProfiledThread {
  return {
    name,
    async cpuProfile() {
      const handle = await worker.startCpuProfile()
      return async () => handle.stop()
    },
    async heapProfile() {
      const handle = await worker.startHeapProfile()
      return async () => handle.stop()
    },
    heapSnapshot: () => worker.getHeapSnapshot(),
  }
}
