import type { ComponentHealth } from '../../src/component/host.ts'
import { type Html, html } from './html.ts'

/** A health for a table: since when, and why where it is not well. */
export function healthCell(health: ComponentHealth | undefined): Html {
  if (health === undefined) return html`<span class="none">unknown</span>`
  const since = new Date(health.since).toISOString()
  if (health.health === 'ok') return html`<span title="since ${since}">ok</span>`
  const message = health.message === undefined ? '' : `: ${health.message}`
  return html`<span class="bad">${health.health}</span> since ${since}${message}`
}
