import { validateHeaderName, validateHeaderValue } from 'node:http'

// HTTP/2 has no place for these, and HTTP/1.1 needs them right: RFC 9113, section 8.2.2.
const OWN_BUSINESS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])

/** What keeps configured headers from being sent, by name. Values are never shown: they may be secret. */
export function headerProblems(
  headers: Readonly<Record<string, string>>,
): { readonly name: string; readonly message: string }[] {
  const problems: { name: string; message: string }[] = []
  for (const [name, value] of Object.entries(headers)) {
    const message = headerProblem(name, value)
    if (message !== undefined) problems.push({ name, message })
  }
  return problems
}

function headerProblem(name: string, value: string): string | undefined {
  if (OWN_BUSINESS.has(name.toLowerCase())) return 'the transport sets this header itself; leave it out'
  try {
    validateHeaderName(name)
  } catch {
    return 'expected the name of a header: letters, digits and -'
  }
  try {
    validateHeaderValue(name, value)
  } catch {
    return 'expected a value without line breaks and other control characters; a file read into it may end with one'
  }
  return undefined
}
