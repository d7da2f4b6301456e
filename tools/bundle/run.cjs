'use strict'
// Runs `main.cjs` with compiled code of every function that an earlier start called. Node's own compile cache has only what is
// compiled before a file runs, and compiling the others on their first call took 40 of 165 ms in the main thread.
const { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { constants, Script } = require('node:vm')

const FILE = join(__dirname, 'main.cjs')

/** When everything that a start calls has been called, and it has settled. One that ends before keeps what it has then. */
const KEEP_AFTER_MS = 2000

/** `run`, which need not be written. What the other commands call would be of little use to it. */
const STARTS = /^(run|--(config|set|feature-gates|lanes)(=.*)?|.*\.ya?ml)$/

/** Where compiled code is kept; for this very file, since V8 itself compares no more of a source than its length. */
function place() {
  const folder = process.env.NODE_COMPILE_CACHE
  if (!folder) return undefined
  const { size, ino, ctimeMs } = statSync(FILE)
  return { folder, path: join(folder, `main-${process.version}-${process.arch}-${ino}-${size}-${ctimeMs}.code`) }
}

function read(path) {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

/** For the next start. Nothing depends on it: where it cannot be written, there will be none. */
function keep(script, { folder, path }) {
  try {
    const own = `${path}.${process.pid}`
    mkdirSync(folder, { recursive: true })
    // V8 does not check what it reads, so that nothing half-written may ever stand there.
    writeFileSync(own, script.createCachedData(), { flush: true })
    renameSync(own, path)
  } catch {}
}

function keepLater(script, at) {
  let timer = setTimeout(keepNow, KEEP_AFTER_MS).unref()
  function keepNow() {
    if (timer) keep(script, at)
    timer = undefined
  }
  process.once('exit', (code) => {
    if (code === 0) keepNow()
  })
}

const Module = module.constructor
const { _compile: compile } = Module.prototype

// Through Node's loader all the same: other files of the bundle ask for this one.
Module.prototype._compile = function (source, filename, ...others) {
  if (filename !== FILE) return compile.call(this, source, filename, ...others)
  Module.prototype._compile = compile
  const at = place()
  const script = new Script(`(function (exports, require, module, __filename, __dirname) { ${source}\n})`, {
    filename,
    cachedData: at && read(at.path),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  })
  if (at && script.cachedDataRejected !== false && STARTS.test(process.argv[2] ?? '')) keepLater(script, at)
  const requireFrom = (id) => this.require(id)
  return script.runInThisContext().call(this.exports, this.exports, requireFrom, this, filename, __dirname)
}

require(FILE)
