import { isIPv4, isIPv6 } from 'node:net'
import { setFlagsFromString } from 'node:v8'

let compiled = false

/**
 * Compiles the pattern by which Node knows IPv6 addresses, once in a thread, before its first use: Node asks it at every
 * `listen`. V8 takes 8 to 10 ms to optimise it, 1 ms without, and few addresses are ever matched.
 */
export function compileAddressPattern(): void {
  if (compiled) return
  compiled = true
  // Loads `node:net` where that has yet to be: V8 takes no code that was compiled ahead while a flag is another.
  isIPv4('')
  // The flag is read whenever a pattern is compiled; back at its default it leaves no trace, in V8's hash of its flags either.
  setFlagsFromString('--no-regexp-optimization')
  // The first use makes bytecode, the second machine code.
  isIPv6('::')
  isIPv6('::')
  setFlagsFromString('--regexp-optimization')
}
