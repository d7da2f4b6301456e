/**
 * Load generators of others: h2load of nghttp2 and a small client on grpc-go. The headline cases run with them as well, so that
 * nobody has to trust ours: both should find the same CPU per item.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GRPC_PATHS } from '../src/transport/otlp-services.ts'
import { isInstalled, onPath, pathOf } from '../test/interop/peers/peer.ts'
import type { Load } from './load/protocol.ts'
import { request } from './payload/payload.ts'
import { grpcGo } from './peers/registry.ts'
import { onCore } from './processes.ts'

export type Generator = 'h2load' | 'grpc-go'

export const GENERATORS: readonly Generator[] = ['h2load', 'grpc-go']

/** Why a generator cannot be run here. */
export function missingGenerator(generator: Generator): string | undefined {
  if (generator === 'h2load') return onPath('h2load') ? undefined : 'h2load is not on the PATH (package nghttp2-client)'
  return isInstalled(grpcGo) ? undefined : `not installed; tools/node bench/peers/install.ts ${grpcGo.name}`
}

export interface Generated {
  /** Requests that were answered with success; h2load looks at HTTP's status only. */
  readonly acknowledged: number
  readonly failed: number
}

const BODIES = 16

/** Starts a generator against a gRPC port. `done` resolves when its time is over and all answers are there. */
export function generate(generator: Generator, port: number, load: Load, seconds: number): Promise<Generated> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  return run(generator, folder, port, load, seconds).finally(() => rmSync(folder, { recursive: true, force: true }))
}

async function run(
  generator: Generator,
  folder: string,
  port: number,
  load: Load,
  seconds: number,
): Promise<Generated> {
  const command = generator === 'h2load' ? h2load(folder, port, load, seconds) : grpcGoLoad(folder, port, load, seconds)
  const [program, ...args] = onCore(1, command)
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, GOMAXPROCS: '1' } })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${generator} ended with ${code}:\n${output}`)
  return generator === 'h2load' ? readH2load(output) : readGrpcGo(output)
}

function h2load(folder: string, port: number, load: Load, seconds: number): string[] {
  const message = request(load, 1)
  const file = join(folder, 'body')
  writeFileSync(file, framed(message))
  // By time, not by number; a stream window as gRPC clients have it.
  return [
    'h2load',
    `--duration=${Math.max(1, Math.round(seconds))}`,
    `--clients=${load.connections}`,
    `--max-concurrent-streams=${load.inFlight}`,
    '--threads=1',
    `--data=${file}`,
    '--header=content-type: application/grpc',
    '--header=te: trailers',
    `http://127.0.0.1:${port}${GRPC_PATHS[load.signal]}`,
  ]
}

function grpcGoLoad(folder: string, port: number, load: Load, seconds: number): string[] {
  const files = Array.from({ length: BODIES }, (_, i) => {
    const file = join(folder, String(i))
    writeFileSync(file, request(load, i + 1))
    return file
  })
  return [
    pathOf(grpcGo),
    `-target=127.0.0.1:${port}`,
    `-path=${GRPC_PATHS[load.signal]}`,
    `-connections=${load.connections}`,
    `-in-flight=${load.inFlight}`,
    `-seconds=${seconds}`,
    `-bodies=${files.join(',')}`,
  ]
}

/** `requests: 913 total, 913 started, 913 done, 913 succeeded, 0 failed, 0 errored, 0 timeout` */
export function readH2load(output: string): Generated {
  const counts = /requests: .* (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(output)
  if (counts === null) throw new Error(`h2load did not say how many requests succeeded:\n${output}`)
  return { acknowledged: Number(counts[1]), failed: Number(counts[2]) + Number(counts[3]) + Number(counts[4]) }
}

export function readGrpcGo(output: string): Generated {
  const said = JSON.parse(output) as { acknowledged: number; failed: number }
  return { acknowledged: said.acknowledged, failed: said.failed }
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + message.length)
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, 5)
  return frame
}
