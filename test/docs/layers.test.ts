import { builtinModules } from 'node:module'
import { describe, expect, test } from 'vitest'
import { COMPONENT_FOLDERS, files, imports, read, root, withoutComments } from '../support/tree.ts'

// The architecture as rules: src/README.md draws the layers, this file refuses an import that points up.

/** Lowest first; a folder may import its own layer and those before it. */
const LAYERS: readonly (readonly string[])[] = [
  ['otlp', 'ottl', 'regex', 'errors.ts', 'codes.ts', 'clock.ts', 'garbage.ts', 'version.ts'],
  ['transport'],
  ['component', 'config', 'memory', 'queue', 'telemetry', 'plugin.ts'],
  ['graph', 'lanes', 'admin'],
  ['cli'],
]
const KIT = 2

const sources = files('src/**/*.ts')
const components = files(...COMPONENT_FOLDERS.map((folder) => `${folder}/**/*.ts`))

function layerOf(path: string): number {
  return LAYERS.findIndex((names) => names.includes(path.split('/')[1] ?? ''))
}

const isComponent = (path: string): boolean => COMPONENT_FOLDERS.some((folder) => path.startsWith(`${folder}/`))

/** `receivers/otlp/otlp.ts` is in `receivers/otlp`; a list is in none. */
const componentOf = (path: string): string => path.split('/').slice(0, 2).join('/')

describe('layers', () => {
  test('every file of src has a layer', () => {
    expect(sources.filter((path) => layerOf(path) < 0)).toEqual([])
    expect(sources.length).toBeGreaterThan(0)
  })

  test('imports point down', () => {
    const upward = sources.flatMap((path) =>
      imports(path)
        .filter((target) => target.startsWith('src/') && layerOf(target) > layerOf(path))
        .map((target) => `${path} imports ${target}`),
    )
    expect(upward).toEqual([])
  })

  test('src names no component: one file of the command line brings in the lists', () => {
    const importers = sources.filter((path) => imports(path).some(isComponent))
    expect(importers.filter((path) => !path.startsWith('src/cli/'))).toEqual([])
    expect(importers.length).toBeLessThanOrEqual(1)
  })

  test('nothing that ships imports tests, benches or tools', () => {
    const wrong = [...sources, ...components].flatMap((path) =>
      imports(path)
        .filter((target) => /^(test|bench|tools)\//.test(target))
        .map((target) => `${path} imports ${target}`),
    )
    expect(wrong).toEqual([])
  })

  test('a component imports its own folder and the kit, which is all that a plugin has', () => {
    const lists = COMPONENT_FOLDERS.map((folder) => `${folder}/index.ts`)
    const wrong = components
      .filter((path) => !lists.includes(path))
      .flatMap((path) =>
        imports(path)
          .filter((target) => (isComponent(target) && componentOf(target) !== componentOf(path)) || isRuntime(target))
          .map((target) => `${path} imports ${target}`),
      )
    expect(wrong).toEqual([])
  })

  test('the five lists have one import a line, in alphabetical order, and every folder is in its list', () => {
    for (const folder of COMPONENT_FOLDERS) {
      const listed = imports(`${folder}/index.ts`)
      const there = files(`${folder}/*/*.ts`).filter((path) => {
        const [, name, file] = path.split('/')
        return file === `${name}.ts`
      })
      expect(listed, folder).toEqual(there)
    }
  })

  test('what ships imports only packages that an installation brings', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> }
    const wrong = [...sources, ...components].flatMap((path) =>
      imports(path)
        .filter((target) => !/^(src|receivers|processors|exporters|connectors|extensions)\//.test(target))
        .filter((target) => !(target.startsWith('node:') && builtinModules.includes(target.slice(5).split('/')[0]!)))
        .filter((target) => !(packageOf(target) in dependencies))
        .map((target) => `${path} imports ${target}`),
    )
    expect(wrong).toEqual([])
  })
})

function isRuntime(target: string): boolean {
  return target.startsWith('src/') && layerOf(target) > KIT
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

describe('everything from outside is handed in', () => {
  const RULES: readonly { readonly what: string; readonly pattern: RegExp; readonly except: RegExp }[] = [
    // A test moves ctx.clock; what reads the system's clock cannot be tested without waiting.
    {
      what: 'the system clock',
      pattern: /\bDate\.now\(|\bnew Date\(\)/,
      except: /^src\/(clock\.ts|telemetry\/log\.ts|cli\/)/,
    },
    // 6 to 10 times dearer than undici's own API; a configuration is fetched once.
    { what: 'the global fetch', pattern: /(?<![.\w])fetch\(/, except: /^src\/config\/sources\.ts$/ },
    { what: 'console', pattern: /(?<![.\w])console\./, except: /^src\/cli\// },
    { what: 'a logger of its own', pattern: /\bfrom 'pino'/, except: /^src\/(cli|lanes|telemetry)\// },
  ]

  test.each(RULES)('no file uses $what', ({ what, pattern, except }) => {
    const uses = [...sources, ...components]
      .filter((path) => !except.test(path))
      .flatMap((path) =>
        withoutComments(read(path))
          // Types cost nothing and hand nothing in.
          .replaceAll(/^import type .*$/gm, '')
          .split('\n')
          .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1} uses ${what}: ${line.trim()}`] : [])),
      )
    expect(uses).toEqual([])
  })
})

test('the repository is found', () => {
  expect(files('package.json'), root).toEqual(['package.json'])
})
