const CONTEXT = 3

/** What differs between two texts, line by line, as `diff -u` and `git apply` have it; empty where nothing does. */
export function unifiedDiff(before: string, after: string, name: string): string {
  if (before === after) return ''
  const [old, now] = [linesOf(before), linesOf(after)]
  const lines = compare(old, now)
  const out = [`--- ${name}\n`, `+++ ${name}\n`]
  for (let at = 0; at < lines.length; ) {
    const first = lines.findIndex(({ sign }, index) => index >= at && sign !== ' ')
    if (first < 0) break
    let last = first
    for (let i = first; i < lines.length && i - last <= 2 * CONTEXT + 1; i++) if (lines[i]!.sign !== ' ') last = i
    const start = Math.max(at, first - CONTEXT)
    const end = Math.min(lines.length, last + CONTEXT + 1)
    out.push(hunk(lines, start, end))
    at = end
  }
  return out.join('')
}

interface Line {
  readonly sign: ' ' | '-' | '+'
  readonly text: string
}

function hunk(lines: readonly Line[], start: number, end: number): string {
  const count = (from: number, to: number, without: string): number =>
    lines.slice(from, to).filter(({ sign }) => sign !== without).length
  const range = (without: '-' | '+'): string => {
    const length = count(start, end, without)
    // A range of no lines is said by the line before it.
    return `${count(0, start, without) + (length === 0 ? 0 : 1)},${length}`
  }
  const body = lines.slice(start, end).map(({ sign, text }) => {
    return sign + (text.endsWith('\n') ? text : `${text}\n\\ No newline at end of file\n`)
  })
  return `@@ -${range('+')} +${range('-')} @@\n${body.join('')}`
}

/** With what ends each. */
function linesOf(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/)
}

/** By the longest common subsequence of what lies between the first and the last difference. */
function compare(old: readonly string[], now: readonly string[]): Line[] {
  let head = 0
  while (head < old.length && head < now.length && old[head] === now[head]) head++
  let tail = 0
  while (tail < old.length - head && tail < now.length - head && old.at(-1 - tail) === now.at(-1 - tail)) tail++
  const a = old.slice(head, old.length - tail)
  const b = now.slice(head, now.length - tail)
  const width = b.length + 1
  const common = new Uint32Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] =
        a[i] === b[j]
          ? common[(i + 1) * width + j + 1]! + 1
          : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!)
    }
  }
  const lines: Line[] = old.slice(0, head).map((text) => ({ sign: ' ', text }))
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ sign: ' ', text: a[i]! })
      i++
      j++
    } else if (j >= b.length || (i < a.length && common[(i + 1) * width + j]! >= common[i * width + j + 1]!)) {
      lines.push({ sign: '-', text: a[i++]! })
    } else lines.push({ sign: '+', text: b[j++]! })
  }
  return [...lines, ...old.slice(old.length - tail).map((text): Line => ({ sign: ' ', text }))]
}
