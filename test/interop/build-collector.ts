/**
 * Builds the Go Collector that the interop tests talk to, once a machine and manifest:
 *
 *   node test/interop/build-collector.ts     prints the path of the binary
 *
 * The first build takes about five minutes on two cores; the result lives in the user's cache, named by the manifest's
 * hash, so that a changed manifest builds anew and nothing lands in the tree.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const BUILDER = 'go.opentelemetry.io/collector/cmd/builder@v0.159.0'
const MANIFEST = fileURLToPath(new URL('collector-manifest.yaml', import.meta.url))

/** Where the binary of the present manifest is, or will be once built. */
export function collectorPath(): string {
  const hash = createHash('sha256').update(BUILDER).update(readFileSync(MANIFEST)).digest('hex').slice(0, 16)
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  return join(cache, 'sluice', `otelcol-${hash}`, 'otelcol-peer')
}

/** Builds the Collector unless it is there. Throws what Go or the builder said. */
export function buildCollector(): string {
  const binary = collectorPath()
  if (existsSync(binary)) return binary
  const folder = join(binary, '..')
  // Built beside its place and renamed at the end: a build that was cut off never looks finished.
  const work = `${folder}.${process.pid}`
  mkdirSync(join(work, 'source'), { recursive: true })
  try {
    const go = {
      cwd: work,
      stdio: ['ignore', 'ignore', 'inherit'] as const,
      env: { ...process.env, GOWORK: 'off', CGO_ENABLED: '0' },
    }
    execFileSync('go', ['install', BUILDER], { ...go, env: { ...go.env, GOBIN: work }, stdio: [...go.stdio] })
    const manifest = readFileSync(MANIFEST, 'utf8').replace(/^dist:$/m, 'dist:\n  output_path: ./source')
    writeFileSync(join(work, 'manifest.yaml'), manifest)
    execFileSync(join(work, 'builder'), ['--config=manifest.yaml'], { ...go, stdio: [...go.stdio] })
    mkdirSync(folder, { recursive: true })
    renameSync(join(work, 'source', 'otelcol-peer'), binary)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return binary
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(buildCollector())
