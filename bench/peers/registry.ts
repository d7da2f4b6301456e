import { copyFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { GO, type Peer, run } from '../../test/interop/peers/peer.ts'

const folder = new URL('.', import.meta.url)
const BUILDER = 'go.opentelemetry.io/collector/cmd/builder@v0.159.0'
const ROTEL = 'rotel==0.0.1a15'

/** The Go Collector that figures are given against. */
export const otelcol: Peer = {
  name: 'bench-otelcol',
  summary: 'OpenTelemetry Collector 0.159.0 with the components of the benches, built by its own builder',
  needs: ['go'],
  recipe: BUILDER,
  folder,
  files: ['otelcol/manifest.yaml'],
  binary: 'otelcol-bench',
  install(out, scratch, file) {
    run(scratch, 'go', ['install', BUILDER], { ...GO, GOBIN: scratch })
    copyFileSync(file('otelcol/manifest.yaml'), join(scratch, 'manifest.yaml'))
    run(scratch, join(scratch, 'builder'), ['--config=manifest.yaml'], GO)
    renameSync(join(scratch, '_build', 'otelcol-bench'), join(out, 'otelcol-bench'))
  },
}

/** A collector in Rust; the newest of its wheels, and an old one: its program calls itself 0.0.1-alpha10. */
export const rotel: Peer = {
  name: 'bench-rotel',
  summary: 'rotel 0.0.1a15 from PyPI',
  needs: ['python3'],
  recipe: ROTEL,
  folder,
  files: [],
  binary: 'lib/rotel/rotel-agent',
  install(out, scratch) {
    run(scratch, 'python3', ['-m', 'venv', 'venv'])
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary=:all:', '--no-deps']
    run(scratch, join(scratch, 'venv/bin/python'), [...pip, '--target', join(out, 'lib'), ROTEL])
  },
}

/** A load generator on grpc-go, which the one in TypeScript is held against. */
export const grpcGo: Peer = {
  name: 'bench-grpc-go',
  summary: 'a load generator on grpc-go 1.83',
  needs: ['go'],
  recipe: 'go build',
  folder,
  files: ['grpc-go/main.go', 'grpc-go/go.mod', 'grpc-go/go.sum'],
  binary: 'load',
  install(out, scratch, file) {
    for (const name of this.files) copyFileSync(file(name), join(scratch, name.slice('grpc-go/'.length)))
    run(scratch, 'go', ['build', '-trimpath', '-ldflags=-s -w', '-o', join(out, 'load'), '.'], GO)
  },
}

export const BENCH_PEERS: readonly Peer[] = [otelcol, rotel, grpcGo]
