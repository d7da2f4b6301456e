import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join, relative } from 'node:path'
import { bundle, root } from './bundle.ts'

interface Start {
  readonly isCurrent: (root: string, folder: string) => boolean
  readonly stampOf: (path: string) => string
}
const { isCurrent, stampOf } = createRequire(import.meta.url)('./start.cjs') as Start

/** Beside the compile cache that the launcher names. */
const CACHE = join(root, 'node_modules/.cache/sluice')
/** What the launcher asks for: a link, so that an engine that runs keeps the files that it has begun with. */
const LINK = join(CACHE, 'run')

/** Earlier bundles that are kept, for engines that may still load parts of them. */
const KEPT = 3

/** A change within one tick of the clock after a reading would not show: the kernel's ticks last 10 ms at most. */
const TICK_MS = 20

/** Makes the bundle of this checkout if it is not current. */
export async function checkoutBundle(): Promise<void> {
  if (isCurrent(root, LINK)) return
  mkdirSync(CACHE, { recursive: true })
  // By time first: the oldest are removed.
  const folder = mkdtempSync(`${LINK}-${Date.now()}-`)
  chmodSync(folder, 0o755)
  const inputs: Record<string, string> = {}
  const stamp = (path: string): void => {
    inputs[relative(root, path)] ??= settledStamp(path)
  }
  for (const path of ['package-lock.json', 'node_modules/.package-lock.json', ...OWN]) stamp(join(root, path))
  try {
    await bundle(folder, (path) => {
      if (!path.includes('node_modules')) stamp(path)
    })
    cpSync(join(import.meta.dirname, 'start.cjs'), join(folder, 'start.cjs'))
    writeFileSync(join(folder, 'inputs.json'), JSON.stringify(inputs))
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  const link = `${folder}.link`
  symlinkSync(basename(folder), link)
  renameSync(link, LINK)
  removeOld()
}

/** What makes a bundle is part of what it is made from. */
const OWN = ['bundle.ts', 'checkout.ts', 'run.cjs', 'start.cjs'].map((name) => `tools/bundle/${name}`)

function settledStamp(path: string): string {
  for (;;) {
    const stamp = stampOf(path)
    if (stamp === 'absent' || Date.now() - statSync(path).ctimeMs > TICK_MS) return stamp
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TICK_MS)
  }
}

function removeOld(): void {
  for (const name of globSync('main-*.code', { cwd: CACHE })) rmSync(join(CACHE, name))
  const current = existsSync(LINK) ? basename(realpathSync(LINK)) : ''
  const old = readdirSync(CACHE)
    .filter((name) => /^run-\d+-\w+$/.test(name) && name !== current)
    .sort()
  for (const name of old.slice(0, Math.max(0, old.length - KEPT))) rmSync(join(CACHE, name), { recursive: true })
}
