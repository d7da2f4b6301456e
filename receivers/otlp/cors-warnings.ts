import type { HttpConfig } from './fields.ts'

/**
 * What in a `cors` section lets nobody in. The Collector starts with it, so this does too, and says so: pages that cannot send are
 * hard to see from a server.
 */
export function corsWarnings(cors: HttpConfig['cors']): string[] {
  if (cors === undefined) return []
  if (cors.allowed_origins.length === 0) {
    return ['protocols.http.cors has no allowed_origins and so no effect; name the origins of the pages']
  }
  return cors.allowed_origins.flatMap((origin, index) => {
    const why = whyNobodyHas(origin)
    return why === undefined
      ? []
      : [`protocols.http.cors.allowed_origins[${index}]: no page has the origin "${origin}": ${why}`]
  })
}

function whyNobodyHas(origin: string): string | undefined {
  if (origin.split('*').length > 2) return 'one * stands for any text, a second one for itself'
  if (origin.includes('*') || origin === 'null') return undefined
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(origin)) return 'a scheme comes first, as in https://app.example'
  if (/^[^:]+:\/\/[^/?#\s]+$/.test(origin)) return undefined
  return 'it ends after the host, or the port'
}
