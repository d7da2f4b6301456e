import fc from 'fast-check'
import { expect, test } from 'vitest'
import { unifiedDiff } from '../../src/cli/unified-diff.ts'

const numbered = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, i) => `${from + i}\n`).join('')

test('three lines of context, changes that are near in one hunk, others in their own', () => {
  const before = numbered(1, 40)
  const after = before.replace('5\n', 'five\n').replace('11\n', '11\nnew\n').replace('\n30\n', '\n')
  expect(unifiedDiff(before, after, 'a.yaml')).toBe(
    `--- a.yaml\n+++ a.yaml\n@@ -2,13 +2,14 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n 9\n 10\n 11\n+new\n 12\n 13\n 14\n@@ -27,7 +28,6 @@\n 27\n 28\n 29\n-30\n 31\n 32\n 33\n`,
  )
})

test('no difference is no text, and an end without a newline is said', () => {
  expect(unifiedDiff('a\n', 'a\n', 'x')).toBe('')
  expect(unifiedDiff('a', 'b\n', 'x')).toBe('--- x\n+++ x\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+b\n')
  expect(unifiedDiff('', 'b\n', 'x')).toBe('--- x\n+++ x\n@@ -0,0 +1,1 @@\n+b\n')
})

/** What `patch` does. */
function patched(before: string, diff: string): string {
  const lines = before === '' ? [] : before.split(/(?<=\n)/)
  const out: string[] = []
  let at = 0
  for (const hunk of diff.split(/^(?=@@)/m).slice(1)) {
    const [head = '', ...body] = hunk.split(/(?<=\n)/)
    const [, start, length] = /^@@ -(\d+),(\d+) /.exec(head)!.map(Number)
    const from = length === 0 ? start! : start! - 1
    out.push(...lines.slice(at, from))
    at = from
    body.forEach((line, i) => {
      if (line.startsWith('\\')) return
      const text = body[i + 1]?.startsWith('\\') ? line.slice(1, -1) : line.slice(1)
      if (line[0] !== '+') expect(lines[at++]).toBe(text)
      if (line[0] !== '-') out.push(text)
    })
  }
  return [...out, ...lines.slice(at)].join('')
}

test('the difference leads from one text to the other', () => {
  const text = fc
    .tuple(fc.array(fc.constantFrom('a\n', 'b\n', 'c\n', '\n'), { maxLength: 60 }), fc.constantFrom('', 'end'))
    .map(([lines, end]) => lines.join('') + end)
  fc.assert(
    fc.property(text, text, (before, after) => {
      expect(patched(before, unifiedDiff(before, after, 'x'))).toBe(after)
    }),
  )
})
