'use strict'
// Where a checkout starts: runs the bundle that lies beside this file if it was made from the sources as they are now, and the
// sources themselves otherwise. CommonJS and nothing of ours imported, since every start pays for it (5 ms, nearly all in `stat`).
const { readFileSync, statSync } = require('node:fs')
const { join, resolve } = require('node:path')

/**
 * How a file is recognised without being read. A change of its content always moves `ctime`, which nobody can set; `tools/bundle.ts`
 * sees to it that no change falls into the same tick of the clock as its reading.
 */
function stampOf(path) {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat === undefined ? 'absent' : `${stat.size} ${stat.ino} ${stat.ctimeMs}`
}

/**
 * True if everything that the bundle in `folder` was made from is as it was; `root` is what paths start from. Packages are known by
 * npm's record of what it installed.
 */
function isCurrent(root, folder) {
  try {
    const inputs = JSON.parse(readFileSync(join(folder, 'inputs.json'), 'utf8'))
    // No `join`, no closure: hundreds of them run in the interpreter.
    for (const path in inputs) if (stampOf(`${root}/${path}`) !== inputs[path]) return false
    return true
  } catch {
    return false
  }
}

if (require.main === module) {
  // As the launcher spells it, links kept: a checkout whose node_modules is a link has its sources beside the link.
  const root = resolve(process.argv[1], '../../../../..')
  if (isCurrent(root, __dirname)) require('./run.cjs')
  else void import(require('node:url').pathToFileURL(join(root, 'src/cli/main.ts')).href)
}

module.exports = { isCurrent, stampOf }
