import { enableCompileCache } from 'node:module'

// Compiling some hundred small modules costs four times what reading their cache does.
enableCompileCache()

const { commandLine } = await import('./command-line.ts')
await commandLine(process.argv.slice(2))
