import { copyFileSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GO, output, type Peer, run } from './peer.ts'

const BUILDER = 'go.opentelemetry.io/collector/cmd/builder@v0.159.0'

/** The Go Collector with the components that Sluice is compared to. */
export const otelcol: Peer = {
  name: 'otelcol',
  summary: 'OpenTelemetry Collector 0.159.0, built by its own builder',
  needs: ['go'],
  recipe: `${BUILDER} and the schemas of its modules`,
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
    keepSchemas(join(scratch, 'source'), join(out, 'schemas'))
  },
}

/** Most of the Collector's modules describe their configuration: those files, under the path of each module. */
function keepSchemas(source: string, to: string): void {
  const modules = output(source, 'go', ['list', '-m', '-f', '{{.Path}} {{.Dir}}', 'all'], GO)
  for (const line of modules.split('\n')) {
    const [path = '', folder = ''] = line.split(' ')
    if (folder === '' || !/^(go\.opentelemetry\.io\/collector|github\.com\/open-telemetry)\//.test(path)) continue
    for (const file of globSync('**/config.schema.yaml', { cwd: folder })) {
      mkdirSync(join(to, path, file, '..'), { recursive: true })
      writeFileSync(join(to, path, file), readFileSync(join(folder, file)))
    }
  }
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

/** The SDK for Python and grpcio in a virtual environment, for the client and the sink in `python/`. */
export const python: Peer = {
  name: 'python',
  summary: 'a client on the OpenTelemetry SDK for Python 1.45 and a sink on grpcio 1.85',
  needs: ['python3'],
  recipe: 'venv',
  files: ['python/requirements.txt'],
  binary: 'venv/bin/python',
  install(out, _scratch, file) {
    run(out, 'python3', ['-m', 'venv', 'venv'])
    // The scripts in venv/bin name the folder in which they were made; its python finds its packages from anywhere.
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary=:all:', '--no-deps']
    run(out, join(out, 'venv/bin/python'), [...pip, '-r', file('python/requirements.txt')])
  },
}

/** A client on the SDK for Java: `java -cp "lib/*:." Client`. */
export const javaSdk: Peer = {
  name: 'java-sdk',
  summary: 'a client on the OpenTelemetry SDK for Java 1.67',
  needs: ['javac', 'mvn'],
  recipe: 'javac --release 17',
  files: ['java-sdk/pom.xml', 'java-sdk/Client.java'],
  binary: 'Client.class',
  install(out, scratch, file) {
    copyFileSync(file('java-sdk/pom.xml'), join(scratch, 'pom.xml'))
    const libraries = [
      'dependency:copy-dependencies',
      `-DoutputDirectory=${join(out, 'lib')}`,
      '-DincludeScope=runtime',
    ]
    run(scratch, 'mvn', ['-q', '-B', '-ntp', ...libraries])
    run(out, 'javac', [
      '--release',
      '17',
      '-encoding',
      'UTF-8',
      '-cp',
      'lib/*',
      '-d',
      '.',
      file('java-sdk/Client.java'),
    ])
  },
}

const RUST = ['rust-sink/Cargo.toml', 'rust-sink/Cargo.lock', 'rust-sink/src/main.rs']

/** A sink on tonic. */
export const rustSink: Peer = {
  name: 'rust-sink',
  summary: 'a sink on tonic 0.14 with the services of opentelemetry-proto 0.33',
  needs: ['cargo'],
  recipe: 'cargo build --release',
  files: RUST,
  binary: 'sink',
  install(out, scratch, file) {
    mkdirSync(join(scratch, 'src'))
    for (const name of RUST) copyFileSync(file(name), join(scratch, name.slice('rust-sink/'.length)))
    run(scratch, 'cargo', ['build', '--quiet', '--release', '--locked', '--target-dir', 'target'])
    renameSync(join(scratch, 'target/release/sink'), join(out, 'sink'))
  },
}

/** Every peer, in the order in which they are installed. */
export const PEERS: readonly Peer[] = [otelcol, telemetrygen, goSdk, python, javaSdk, rustSink]
