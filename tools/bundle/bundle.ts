/**
 * Joins what the command line loads into a few files: a start then reads 5 of them instead of 350 in its two threads, which
 * halves its CPU time and leaves 19 MiB less resident (bench cases `start`, `idle`).
 *
 * They are CommonJS. An ES module that imports a module of Node reads each of its exports, some of which are getters that load
 * something big: `http.WebSocket` is all of Node's own undici, 45 ms in every thread. `require` reads none.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { type OutputChunk, type Plugin, rolldown } from 'rolldown'

export const root = join(import.meta.dirname, '../..')

/** Programs of their own: the main thread's and a lane's. They share no chunk, for one must not run the other. */
const PROGRAMS = [
  { name: 'main', entry: 'src/cli/main.ts', always: ['src/cli/run.ts', 'src/cli/engine.ts'] },
  { name: 'lane', entry: 'src/lanes/lane.ts', always: ['src/cli/components.ts'] },
] as const

/** Packages that find files of their own by path, or that few runs need. */
const LEFT_ALONE = [/^node:/, 'piscina', 'pino-pretty']

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
  for (const { name, entry, always } of PROGRAMS) {
    const closure = new Closure([entry, ...always].map((path) => join(root, path)))
    const build = await rolldown({
      cwd: root,
      input: { [name]: entry },
      platform: 'node',
      external: LEFT_ALONE,
      preserveEntrySignatures: 'allow-extension',
      plugins: [lanesOwnComponents, listener(hear)],
      onLog(level, log) {
        if (level === 'warn' && !HARMLESS.has(log.code ?? '')) throw new Error(`${entry}: ${log.message}`)
      },
    })
    const { output } = await build.write({
      dir: folder,
      format: 'cjs',
      exports: 'named',
      // Modules are strict; CommonJS is only when it says so.
      strict: true,
      comments: { legal: true, annotation: false, jsdoc: false },
      entryFileNames: '[name].cjs',
      chunkFileNames: `${name}-[name].cjs`,
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
    for (const chunk of output) if (chunk.type === 'chunk') toAscii(folder, chunk)
    await build.close()
  }
  writeFileSync(join(folder, 'licenses.txt'), licenses([...read]))
}

/** What is loaded whenever `roots` are: they and everything that they import, but not what is imported later on demand. */
class Closure {
  readonly #ids = new Set<string>()
  #todo: string[]

  constructor(roots: readonly string[]) {
    this.#todo = [...roots]
  }

  has(id: string, infoOf: (id: string) => { readonly importedIds: readonly string[] } | null): boolean {
    for (let next = this.#todo.pop(); next !== undefined; next = this.#todo.pop()) {
      if (this.#ids.has(next)) continue
      this.#ids.add(next)
      this.#todo.push(...(infoOf(next)?.importedIds ?? []))
    }
    return this.#ids.has(id)
  }
}

/** A lane imports its components by a URL that it is given; here there is one list, known now. */
const lanesOwnComponents: Plugin = {
  name: 'the components of a lane',
  transform(code, id) {
    if (!id.endsWith(`${sep}lanes${sep}lane.ts`)) return undefined
    const given = 'import(process.argv[2]!)'
    if (code.split(given).length !== 2) throw new Error(`${id}: expected \`${given}\` once`)
    return { code: code.replace(given, "import('../cli/components.ts')"), map: null }
  },
}

function listener(hear: (path: string) => void): Plugin {
  return {
    name: 'what is read',
    load(id) {
      if (id.startsWith(sep)) hear(id)
      return undefined
    },
  }
}

/** One letter that Latin-1 lacks, and V8 keeps the whole file with two bytes a letter. */
function toAscii(folder: string, { fileName, code }: OutputChunk): void {
  const escaped = code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  writeFileSync(join(folder, fileName), escaped)
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
