/** Whether a name fits one of `patterns`, in which `*` stands for any text and `?` for one character. */
export function wildcard(patterns: readonly string[]): (name: string) => boolean {
  return (name) => patterns.some((pattern) => fits(pattern, name))
}

/** Linear: only the last star is ever tried again. */
function fits(pattern: string, name: string): boolean {
  let p = 0
  let n = 0
  let star = -1
  let resume = 0
  while (n < name.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p++
      resume = n
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      p++
      n++
    } else if (star >= 0) {
      p = star + 1
      n = ++resume
    } else {
      return false
    }
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}
