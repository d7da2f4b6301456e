/** Shorter ones say nothing: `on` is a word of many names. */
const SHORTEST_WORD = 4

/**
 * Of `candidates` the one that `text` was most likely meant to be, or undefined where none is close: at most one slip
 * (a letter missing, added, changed, or two swapped) for every three letters, upper and lower case alike. Else the only one
 * that begins or ends with it: `sending_queue` for `queue`.
 */
export function nearest(text: string, candidates: Iterable<string>): string | undefined {
  const wanted = text.toLowerCase()
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = slips(wanted, candidate.toLowerCase(), bestDistance)
    if (distance < bestDistance) {
      bestDistance = distance
      best = candidate
    }
  }
  return best ?? only([...candidates].filter((candidate) => beginsOrEnds(wanted, candidate.toLowerCase())))
}

function beginsOrEnds(wanted: string, candidate: string): boolean {
  if (wanted.length < SHORTEST_WORD) return false
  return candidate.startsWith(`${wanted}_`) || candidate.endsWith(`_${wanted}`)
}

function only(candidates: readonly string[]): string | undefined {
  return candidates.length === 1 ? candidates[0] : undefined
}

/** Damerau-Levenshtein distance (adjacent swaps count once); `limit` or more is all the same. */
function slips(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1)
      row.push(cost)
    }
    before = previous
    previous = row
  }
  return previous[b.length]!
}

/** `; did you mean "batch"?`, or nothing. */
export function didYouMean(text: string, candidates: Iterable<string>): string {
  const guess = nearest(text, candidates)
  return guess === undefined ? '' : `; did you mean "${guess}"?`
}
