/**
 * `npm run emit` (and `npm pack` before it packs): writes the JavaScript and the type declarations of everything that
 * a package carries to `dist/`, in the layout of the tree. Node refuses TypeScript below node_modules. What the command
 * line runs stands in `dist/run/`, joined into few files.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { bundle } from './bundle/bundle.ts'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')

const build = JSON.parse(readFileSync(join(root, 'tsconfig.build.json'), 'utf8')) as { include: string[] }

rmSync(dist, { recursive: true, force: true })
const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
})
if (tsc.status !== 0) process.exit(tsc.status ?? 1)

// tsc leaves out what is no TypeScript: files that code reads at run time through import.meta.url.
for (const file of globSync(
  build.include.map((folder) => `${folder}/**/*.{js,mjs,json,yaml,sql,html,css}`),
  { cwd: root },
)) {
  mkdirSync(dirname(join(dist, file)), { recursive: true })
  cpSync(join(root, file), join(dist, file))
}

// Code finds the version in the package.json two folders above `src/cli`, in both forms.
const { name, version, license, type } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
  string,
  string
>
writeFileSync(
  join(dist, 'package.json'),
  `${JSON.stringify({ name, version, license, type, private: true }, null, 2)}\n`,
)

await bundle(join(dist, 'run'))
