import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GO, type Peer, run } from './peer.ts'

const BUILDER = 'go.opentelemetry.io/collector/cmd/builder@v0.159.0'

/** The Go Collector with the components that Sluice is compared to. */
export const otelcol: Peer = {
  name: 'otelcol',
  summary: 'OpenTelemetry Collector 0.159.0, built by its own builder',
  needs: ['go'],
  recipe: BUILDER,
  files: ['otelcol/manifest.yaml'],
  binary: 'otelcol-peer',
  install(out, scratch, file) {
    run(scratch, 'go', ['install', BUILDER], { ...GO, GOBIN: scratch })
    const manifest = readFileSync(file('otelcol/manifest.yaml'), 'utf8').replace(
      /^dist:$/m,
      'dist:\n  output_path: ./source',
    )
    writeFileSync(join(scratch, 'manifest.yaml'), manifest)
    run(scratch, join(scratch, 'builder'), ['--config=manifest.yaml'], GO)
    renameSync(join(scratch, 'source', 'otelcol-peer'), join(out, 'otelcol-peer'))
  },
}

const TELEMETRYGEN = 'github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen@v0.160.0'

/** The load generator of the Collector's contributors. */
export const telemetrygen: Peer = {
  name: 'telemetrygen',
  summary: 'telemetrygen 0.160.0 of the OpenTelemetry Collector contributors',
  needs: ['go'],
  recipe: TELEMETRYGEN,
  files: [],
  binary: 'telemetrygen',
  install(out) {
    run(out, 'go', ['install', '-ldflags=-s -w', TELEMETRYGEN], { ...GO, GOBIN: out })
  },
}

/** A client on the OpenTelemetry SDK for Go. */
export const goSdk: Peer = {
  name: 'go-sdk',
  summary: 'a client on the OpenTelemetry SDK for Go 1.47',
  needs: ['go'],
  recipe: 'go build',
  files: ['go-sdk/main.go', 'go-sdk/go.mod', 'go-sdk/go.sum'],
  binary: 'client',
  install(out, scratch, file) {
    for (const name of this.files) copyFileSync(file(name), join(scratch, name.slice('go-sdk/'.length)))
    run(scratch, 'go', ['build', '-trimpath', '-ldflags=-s -w', '-o', join(out, 'client'), '.'], GO)
  },
}

/** Every peer, in the order in which they are installed. */
export const PEERS: readonly Peer[] = [otelcol, telemetrygen, goSdk]
