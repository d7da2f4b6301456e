import type { Page } from '../../src/transport/page-server.ts'

const PROFILES: readonly (readonly [path: string, what: string])[] = [
  ['profile?seconds=30', 'CPU profile of all threads, for <code>go tool pprof</code> and Grafana'],
  ['heap?seconds=10', 'what was allocated meanwhile and is still alive, of all threads, for the same'],
  ['cpuprofile?thread=lane-1&amp;seconds=10', 'CPU profile of one thread, for Chromium’s developer tools'],
  ['heapprofile?thread=lane-1&amp;seconds=10', 'allocations of one thread, for the same'],
  ['heapsnapshot?thread=lane-1', 'every object of one thread; stops that thread while it is taken'],
  ['cmdline', 'the command line of this process'],
]

/** What there is, and how to ask for it. */
export function indexPage(threads: readonly string[]): Page {
  const rows = PROFILES.map(
    ([path, what]) => `<tr><td><a href="${path}">${path.split('?', 1)[0]}</a></td><td>${what}</td></tr>`,
  )
  const body = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>/debug/pprof/</title>
<style>body{font:15px system-ui,sans-serif;margin:2em;max-width:60em}td{padding:.3em 1em .3em 0;vertical-align:top}</style></head>
<body><h1>/debug/pprof/</h1>
<table>${rows.join('\n')}</table>
<p>Threads: ${threads.join(', ')}. Each of the profiles takes <code>seconds</code> and <code>thread</code>.</p>
<p><code>go tool pprof http://HOST/debug/pprof/profile?seconds=10</code></p>
</body></html>
`
  return { status: 200, type: 'text/html; charset=utf-8', body }
}
