import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import * as http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ack } from '../../../src/component/delivery.ts'
import { someBatches } from '../../contract/support/data.ts'
import { deadlineIn } from '../../support/context.ts'
import { jsClient } from '../../transport/support/grpc-peers.ts'
import { runNode } from '../../transport/support/run-node.ts'
import { arrived, cleanups, running } from './support/running.ts'

const BODY = someBatches('traces', 1)[0]!.chunks[0]!

function postTo(socketPath: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-protobuf' }
    const request = http.request({ socketPath, path: '/v1/traces', method: 'POST', headers }, (response) =>
      resolve(response.resume().statusCode!),
    )
    request.on('error', reject)
    request.end(BODY)
  })
}

test('both protocols over sockets that a killed process left behind; stopped, they are gone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
  cleanups.push(() => rmSync(folder, { recursive: true }))
  const paths = { grpc: join(folder, 'grpc.sock'), http: join(folder, 'http.sock') }
  const listen = `const { createServer } = require('node:net')
    let left = 2
    for (const path of ${JSON.stringify(Object.values(paths))})
      createServer().listen(path, () => --left || process.kill(process.pid, 'SIGKILL'))`
  await runNode(listen)
  expect(Object.values(paths).map(existsSync)).toEqual([true, true])

  const side = (path: string): object => ({ transport: 'unix', endpoint: path })
  const {
    component,
    ctx,
    grpc,
    http: httpAddress,
    sink,
  } = await running({
    grpc: side(paths.grpc),
    http: side(`unix://${paths.http}`),
  })
  expect([grpc, httpAddress]).toEqual([`unix:${paths.grpc}`, `unix:${paths.http}`])
  const client = jsClient(`unix:${paths.grpc}`)
  cleanups.push(() => client.close())
  const answers = [client.call(BODY), postTo(paths.http)] as const
  await arrived(sink, 2)
  expect(sink.deliveries.map(({ batch }) => batch.context.peer)).toEqual(['unix', 'unix'])
  sink.deliveries.forEach(ack)
  expect((await answers[0]).error).toBeUndefined()
  expect(await answers[1]).toBe(200)

  await component.stop!(deadlineIn(ctx.clock, 1000))
  expect(Object.values(paths).map(existsSync)).toEqual([false, false])
})
