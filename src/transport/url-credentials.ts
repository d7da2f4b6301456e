/** `Basic …` of the credentials in a URL; undefined where it has none. */
export function basicCredentials(url: URL): string | undefined {
  if (url.username === '' && url.password === '') return undefined
  return `Basic ${Buffer.from(`${decoded(url.username)}:${decoded(url.password)}`).toString('base64')}`
}

/** A `%` that begins no escape stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** A URL for messages, which travel to clients and logs: without credentials, and without the query, where tokens lie. */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return url
  const { host, pathname, protocol } = new URL(url)
  return `${protocol}//${host}${pathname}`
}
