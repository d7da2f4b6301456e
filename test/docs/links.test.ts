import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { files, read, resolveLink, root } from '../support/tree.ts'

const documents = files('*.md', '*/**/*.md')

/** Prose without code, in which brackets mean something else. */
function prose(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '')
}

/** The anchor that GitHub gives a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-')
}

function anchors(path: string): string[] {
  const text = read(path).replaceAll(/^```[\s\S]*?^```/gm, '')
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchor(heading!))
}

test('every relative link leads to a file, and to a heading in it', () => {
  const broken: string[] = []
  let seen = 0
  for (const path of documents) {
    for (const [, target] of prose(read(path)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue
      seen++
      const [file, fragment] = target!.split('#') as [string, string?]
      const resolved = file === '' ? path : resolveLink(path, file)
      if (!existsSync(join(root, resolved))) broken.push(`${path}: ${target} does not exist`)
      else if (fragment !== undefined && !anchors(resolved).includes(fragment))
        broken.push(`${path}: ${target} names no heading`)
    }
  }
  expect(broken).toEqual([])
  expect(seen).toBeGreaterThan(0)
})

test('nothing that is written names a path of one machine', () => {
  const texts = files('*.{md,json,yaml,ts,js}', '*/**/*.{md,json,yaml,ts}', '.ci/*', 'tools/*', 'sluice')
  const personal = texts.filter((path) => /(?<![\w.$}])\/(home|root|Users)\/\w/.test(read(path)))
  expect(personal.filter((path) => path !== 'test/docs/links.test.ts')).toEqual([])
})
