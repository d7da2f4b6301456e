import { extname } from 'node:path'

/**
 * URL of a module beside `from` with the extension that `from` itself has: `.ts` in a checkout, `.js` in a published
 * package, where the compiler rewrites imports but not URLs.
 */
export function siblingModule(from: string, name: string): string {
  return new URL(`./${name}${extname(from)}`, from).href
}
