import type { Page } from '../../src/transport/page-server.ts'

/** Text that is safe between tags and in attributes, and markup that was built from such. */
export type Html = { readonly html: string }

/** Template of markup: what is put in is escaped unless it is `Html` itself; lists are joined. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let text = parts[0]!
  values.forEach((value, i) => {
    text += render(value) + parts[i + 1]!
  })
  return { html: text }
}

export type HtmlValue = string | number | undefined | Html | readonly HtmlValue[]

function render(value: HtmlValue): string {
  if (value === undefined) return ''
  if (typeof value === 'number') return value.toLocaleString('en-US', { maximumFractionDigits: 2 })
  if (typeof value === 'string') return escapeMarkup(value)
  return 'html' in value ? value.html : value.map(render).join('')
}

function escapeMarkup(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

/** A table; columns of numbers are those whose first cell is one. */
export function table(head: readonly string[], rows: readonly (readonly HtmlValue[])[]): Html {
  if (rows.length === 0) return html`<p class="none">none</p>`
  const cell = (value: HtmlValue): Html =>
    typeof value === 'number' ? html`<td class="n">${value}</td>` : html`<td>${value}</td>`
  return html`<table><thead><tr>${head.map((title) => html`<th>${title}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`)}</tbody></table>`
}

const PAGES = ['servicez', 'pipelinez', 'extensionz', 'featurez', 'tracez'] as const

const STYLE = `body{font:15px/1.4 system-ui,sans-serif;margin:1.5em 2em;max-width:80em;color:#222}
nav a{margin-right:1em}h1{font-size:1.4em}h2{font-size:1.1em;margin-top:1.6em}
table{border-collapse:collapse}th,td{text-align:left;padding:.25em .9em .25em 0;vertical-align:top;border-bottom:1px solid #ddd}
th{font-weight:600;color:#555}.n{text-align:right;font-variant-numeric:tabular-nums}
.bad{color:#a00;font-weight:600}.none{color:#777}pre{background:#f6f6f6;padding:1em;overflow:auto}`

/** A whole page under the links to the others. */
export function page(title: string, body: Html): Page {
  const links = PAGES.map((name) => html`<a href="/debug/${name}">${name}</a>`)
  const { html: text } = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title><style>${{ html: STYLE }}</style></head>
<body><nav>${links}</nav><h1>${title}</h1>
${body}
</body></html>
`
  return { status: 200, type: 'text/html; charset=utf-8', body: text }
}
