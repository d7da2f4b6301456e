import type { CorsOptions } from '../transport/cors.ts'
import { field, type ValueOf } from './field.ts'

/** `cors` of an HTTP server. */
export const corsField = field.object('Lets web pages of other origins ask.', {
  allowed_origins: field.list(
    'Origins of those pages, `https://app.example`; one `*` in it stands for any text, alone for any origin.',
    field.string('An origin.', { required: true }),
    { default: [] },
  ),
  allowed_headers: field.list(
    'Headers that they may set; `*` for any. When empty: Accept, Content-Type and X-Requested-With.',
    field.string('Name of a header.', { required: true }),
    { default: [] },
  ),
  exposed_headers: field.list(
    'Headers of answers that they may read.',
    field.string('Name of a header.', { required: true }),
    { default: [] },
  ),
  max_age: field.int(
    'Seconds for which browsers may remember that they may ask; 0 leaves it to them, less forbids it.',
    { default: 0 },
  ),
})

type CorsConfig = ValueOf<typeof corsField>

/** Undefined where no page is let in. */
export function corsOptions(cors: CorsConfig | undefined): CorsOptions | undefined {
  if (cors === undefined || cors.allowed_origins.length === 0) return undefined
  return {
    allowedOrigins: cors.allowed_origins,
    allowedHeaders: cors.allowed_headers,
    exposedHeaders: cors.exposed_headers,
    maxAgeS: cors.max_age,
  }
}

/**
 * What in the section at `key` lets nobody in. The Collector starts with it, so this does too, and says so: pages that cannot
 * ask are hard to see from a server.
 */
export function corsWarnings(cors: CorsConfig | undefined, key: string): string[] {
  if (cors === undefined) return []
  if (cors.allowed_origins.length === 0) {
    return [`${key} has no allowed_origins and so no effect; name the origins of the pages`]
  }
  return cors.allowed_origins.flatMap((origin, index) => {
    const why = whyNobodyHas(origin)
    return why === undefined ? [] : [`${key}.allowed_origins[${index}]: no page has the origin "${origin}": ${why}`]
  })
}

function whyNobodyHas(origin: string): string | undefined {
  if (origin.split('*').length > 2) return 'one * stands for any text, a second one for itself'
  if (origin.includes('*') || origin === 'null') return undefined
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(origin)) return 'a scheme comes first, as in https://app.example'
  if (/^[^:]+:\/\/[^/?#\s]+$/.test(origin)) return undefined
  return 'it ends after the host, or the port'
}
