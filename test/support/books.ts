import type { RunningSluice } from './sluice.ts'

/** A pipeline's row of the ledger, in items. */
export interface Books {
  readonly pipeline: string
  readonly accepted: number
  readonly sent: number
  readonly dropped: Readonly<Record<string, number>>
  readonly failed: Readonly<Record<string, number>>
  readonly folded: Readonly<Record<string, number>>
  readonly held: number
}

/** The ledger that a stop has printed, by pipeline. */
export function booksOf(sluice: RunningSluice): Readonly<Record<string, Books>> {
  const line = /^\{.*"msg":"ledger"\}$/m.exec(sluice.output())
  if (line === null) throw new Error(`no ledger was printed:\n${sluice.output()}`)
  const rows = (JSON.parse(line[0]) as { ledger: Books[] }).ledger
  return Object.fromEntries(rows.map((row) => [row.pipeline, row]))
}
