/**
 * Joins what the command line loads into a few files: a start then reads 5 of them instead of 350 in its two threads, which
 * halves its CPU time and leaves 19 MiB less resident (bench cases `start`, `idle`).
 *
 * The main thread's are CommonJS, which can load Node's modules where they are first used. A lane's are ES modules: what one file
 * takes from another is read through a getter in CommonJS, at 1.6 times the CPU per span (bench case `spans-grpc`).
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { join, sep } from 'node:path'
import { type Plugin, rolldown } from 'rolldown'

export const root = join(import.meta.dirname, '../..')

/**
 * Programs of their own: the main thread's, what Piscina starts a thread with, a lane's. They share no chunk, for one must not
 * run the other.
 */
const PROGRAMS = [
  { name: 'main', format: 'cjs', entry: 'src/cli/main.ts', always: ['src/cli/run.ts', 'src/cli/engine.ts'] },
  { name: 'worker', format: 'cjs', entry: 'node_modules/piscina/dist/worker.js', always: [] },
  { name: 'lane', format: 'esm', entry: 'src/lanes/lane.ts', always: ['src/cli/components.ts'] },
] as const

/** Packages that few runs need, and a native one that Piscina needs for priorities. */
const LEFT_ALONE = ['pino-pretty', '@napi-rs/nice']

/** What is loaded later in the sources and at once here, since something else needs it at once. */
const HARMLESS: ReadonlySet<string> = new Set(['INEFFECTIVE_DYNAMIC_IMPORT'])

/** Writes the bundle to `folder`. `reading` hears of every file before it is read. */
export async function bundle(folder: string, reading: (path: string) => void = () => {}): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const read = new Set<string>()
  const hear = (path: string): void => {
    read.add(path)
    reading(path)
  }
  for (const { name, format, entry, always } of PROGRAMS) {
    const ending = format === 'cjs' ? 'cjs' : 'mjs'
    const closure = new Closure([entry, ...always].map((path) => join(root, path)))
    const build = await rolldown({
      cwd: root,
      input: { [name]: entry },
      platform: 'node',
      external: LEFT_ALONE,
      preserveEntrySignatures: 'allow-extension',
      plugins: [places, ...(format === 'esm' ? [spared] : []), listener(hear)],
      onLog(level, log) {
        if (level === 'warn' && !HARMLESS.has(log.code ?? '')) throw new Error(`${entry}: ${log.message}`)
      },
    })
    const { output } = await build.write({
      dir: folder,
      format,
      // Modules are strict; CommonJS is only when it says so.
      ...(format === 'cjs' && { exports: 'named', strict: true }),
      comments: { legal: true, annotation: false, jsdoc: false },
      entryFileNames: `[name].${ending}`,
      chunkFileNames: `${name}-[name].${ending}`,
      codeSplitting: {
        includeDependenciesRecursively: false,
        groups: [
          {
            name: (id, chunking) => (closure.has(id, (each) => chunking.getModuleInfo(each)) ? 'always' : null),
            debugName: 'always',
            priority: 2,
          },
          // What several components need; packages stay with those that load them.
          { name: 'kit', minShareCount: 2, test: (id) => !id.includes('node_modules') },
        ],
      },
    })
    for (const chunk of output) {
      if (chunk.type !== 'chunk') continue
      const code = format === 'cjs' ? loadedLate(chunk.code) : chunk.code
      writeFileSync(join(folder, chunk.fileName), inAscii(code))
    }
    await build.close()
  }
  // Siblings of `main.cjs` are looked for under its own ending.
  writeFileSync(join(folder, 'lane.cjs'), "'use strict'\nmodule.exports = require('./lane.mjs')\n")
  cpSync(join(import.meta.dirname, 'run.cjs'), join(folder, 'run.cjs'))
  writeFileSync(join(folder, 'licenses.txt'), licenses([...read]))
}

/** What is loaded whenever `roots` are: they and everything that they import, but not what is imported later on demand. */
class Closure {
  readonly #ids = new Set<string>()
  #unread: string[]

  constructor(roots: readonly string[]) {
    this.#unread = [...roots]
  }

  has(id: string, infoOf: (id: string) => { readonly importedIds: readonly string[] } | null): boolean {
    for (let next = this.#unread.pop(); next !== undefined; next = this.#unread.pop()) {
      if (this.#ids.has(next)) continue
      this.#ids.add(next)
      this.#unread.push(...(infoOf(next)?.importedIds ?? []))
    }
    return this.#ids.has(id)
  }
}

/** What is found by a path or URL, and where it is here; and what is loaded although nothing here ever asks for it. */
const PLACES = [
  // A lane imports its components by a URL that it is given; here there is one list, known now.
  { of: 'src/lanes/lane.ts', from: 'import(process.argv[2]!)', to: "import('../cli/components.ts')" },
  { of: 'node_modules/piscina/dist/index.js', from: "'worker.js'", to: "'worker.cjs'" },
  {
    of: 'node_modules/pino/lib/tools.js',
    from: "const transport = require('./transport')",
    to: "const transport = (options) => require('./transport')(options)",
  },
  {
    of: 'node_modules/pino/pino.js',
    from: "module.exports.transport = require('./lib/transport')",
    to: "Object.defineProperty(module.exports, 'transport', { get: () => require('./lib/transport') })",
  },
  {
    of: 'node_modules/sonic-boom/index.js',
    from: "const assert = require('assert')",
    to: "const assert = (...all) => require('assert')(...all)",
  },
] as const

const places: Plugin = {
  name: 'what is found by its path',
  transform(code, id) {
    const place = PLACES.find(({ of }) => id === join(root, of))
    if (place === undefined) return undefined
    if (code.split(place.from).length !== 2) throw new Error(`${id}: expected \`${place.from}\` once`)
    return { code: code.replace(place.from, place.to), map: null }
  },
}

/**
 * An ES module that imports a module of Node reads each of its exports, some of which are getters that load something big:
 * `http.WebSocket` is all of Node's own undici, 45 ms in every thread. This one has the others.
 */
const spared: Plugin = {
  name: 'node:http without what loads undici',
  resolveId(source, _importer, { kind }) {
    return source === 'node:http' && kind !== 'require-call' ? SPARED : undefined
  },
  load(id) {
    if (id !== SPARED) return undefined
    const names = Object.entries(Object.getOwnPropertyDescriptors(http))
      .filter(([name, property]) => 'value' in property && name !== 'default')
      .map(([name]) => `export const ${name} = http.${name}`)
    return [`const http = process.getBuiltinModule('node:http')`, ...names, 'export default http'].join('\n')
  },
}

const SPARED = '\0node:http'

function listener(hear: (path: string) => void): Plugin {
  return {
    name: 'what is read',
    load(id) {
      if (id.startsWith(sep)) hear(id)
      return undefined
    },
  }
}

/**
 * Modules of Node that are loaded where they are first used and not with the chunk: each costs 1 to 6 ms in every thread, and
 * many runs use none of them. Those of the data path are not among them.
 */
const LATE =
  /^node:(child_process|crypto|dns\/promises|fs\/promises|http|https|module|net|os|perf_hooks|tls|url|v8|vm)$/

/** `let x = require(…)`, and what a default import adds to it. */
const REQUIRED = /^let (\w+) = require\("(node:[\w/]+)"\);\n(?:\1 = ([\w.]+)\(\1(, 1)?\);\n)?/gm

function loadedLate(code: string): string {
  let changed = code
  for (const [statement, name, module, interop, asModule = ''] of code.matchAll(REQUIRED)) {
    if (!LATE.test(module!)) continue
    const uses = new RegExp(`(?<![\\w$.'"])${name}(?![\\w$'"])(?=\\s*(\\S))`, 'g')
    const load = interop === undefined ? `require("${module}")` : `${interop}(require("${module}")${asModule})`
    changed = changed.replace(statement, '').replaceAll(uses, (_, next: string) => {
      if (!'.):'.includes(next)) throw new Error(`expected ${name} to be read, got ${name} ${next}`)
      return `(${name}())`
    })
    changed = changed.replace(AT_TOP, (top) => `${top}let ${name}_;\nconst ${name} = () => ${name}_ ??= ${load};\n`)
  }
  return changed
}

const AT_TOP = '"use strict";\n'

/** One letter that Latin-1 lacks, and V8 keeps the whole file with two bytes a letter. */
function inAscii(code: string): string {
  return code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The licenses of the packages whose code is in the bundle ask to be handed on with it. */
function licenses(paths: readonly string[]): string {
  const packages = new Set(
    paths.flatMap((path) => /^.*[/\\]node_modules[/\\](?:@[^/\\]+[/\\])?[^/\\]+/.exec(path)?.[0] ?? []),
  )
  return [...packages]
    .sort()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
        string,
        string
      >
      const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each))
      const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim()
      return `${name} ${version} (${license})\n\n${text}\n`
    })
    .join(`\n${'-'.repeat(72)}\n\n`)
}
