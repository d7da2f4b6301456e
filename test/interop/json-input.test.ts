import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bySignal, STABLE, type Stable } from '../support/otlp-services.ts'
import { freePort } from '../support/ports.ts'
import { endAll, startSluice } from '../support/sluice.ts'
import { otelcol } from './peers/registry.ts'
import { startCollector } from './support/collector.ts'
import { fileBackend } from './support/file-backend.ts'
import { JSON_CASES } from './support/json-cases.ts'
import { endPeers, needs } from './support/peers.ts'
import { readRecords } from './support/record-files.ts'

// The same OTLP/JSON to a Collector and to Sluice, each with files behind it. What this does not prove: anything about large
// documents or such as no writer makes, which test/otlp has.

/** What the Collector refuses and Sluice takes, because protobuf's JSON mapping does. */
const MORE = [
  // Means that the field is not set.
  / null$/,
  // A whole number, however it is spelled.
  / "?(1\.0|1e3|1\.76e18)"?$/,
  / \[1\.0\]$/,
  // Base64 by either alphabet, with or without padding.
  /^bytesValue "AP(-A|8)"$/,
  // A control character that nobody escaped, a name without letters: harmless.
  /^stringValue "\t"$/,
  /^an empty name$/,
]
/** What both take, but not for the same: the Collector sets a text that is null to "". */
const OTHERWISE = /^stringValue null$/

/** The Collector writes these, also where they are empty or nobody sent them. */
const WRITTEN_ANYWAY = new Set(['resource', 'scope', 'status', 'body', 'value'])

function line(request: unknown): string {
  return JSON.stringify(request, (key, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`
    // An id of zeros is none.
    if (value instanceof Uint8Array)
      return value.some((byte) => byte !== 0) ? Buffer.from(value).toString('hex') : undefined
    if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
    if (Object.is(value, -0)) return '-0'
    const empty =
      typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
    return empty && WRITTEN_ANYWAY.has(key) ? undefined : value
  })
}

const { skip, note } = needs(otelcol)

describe.skipIf(skip)(`OTLP/JSON beside a Go Collector${note}`, () => {
  let folder: string
  /** By signal and case what was read, or the status that refused it. */
  const read: Record<'otelcol' | 'sluice', Record<Stable, Map<string, string>>> = {
    otelcol: bySignal(() => new Map()),
    sluice: bySignal(() => new Map()),
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-json-'))
    for (const name of ['otelcol', 'sluice'] as const) {
      const port = await freePort()
      const fileOf = (signal: Stable): string => join(folder, `${name}-${signal}.bin`)
      const yaml = fileBackend('http', port, fileOf)
      const file = join(folder, 'sluice.yaml')
      writeFileSync(file, yaml)
      const engine =
        name === 'sluice' ? await startSluice(['run', file]) : await startCollector(folder, name, yaml, port)
      for (const signal of STABLE) {
        for (const [each, body] of Object.entries(JSON_CASES[signal])) {
          const headers = { 'content-type': 'application/json' }
          const answer = await fetch(`http://127.0.0.1:${port}/v1/${signal}`, { method: 'POST', headers, body })
          read[name][signal].set(each, answer.ok ? '' : 'refused')
        }
      }
      await engine.stop()
      for (const signal of STABLE) {
        // One record a request that was taken, in their order; what holds no items never gets so far.
        const records = readRecords(signal, fileOf(signal))
        const taken = [...read[name][signal]].filter(([each, status]) => status === '' && !each.startsWith('nothing:'))
        expect(records).toHaveLength(taken.length)
        taken.forEach(([each], i) => void read[name][signal].set(each, line(records[i])))
      }
    }
  })

  afterAll(() => {
    endAll()
    endPeers()
    rmSync(folder, { recursive: true, force: true })
  })

  test.each(STABLE.flatMap((signal) => Object.keys(JSON_CASES[signal]).map((each) => [signal, each] as const)))(
    '%s, %s',
    (signal, each) => {
      const theirs = read.otelcol[signal].get(each)
      const ours = read.sluice[signal].get(each)
      if (theirs === 'refused' && MORE.some((more) => more.test(each))) expect(ours).not.toBe('refused')
      else if (OTHERWISE.test(each)) expect([theirs, ours]).not.toContain('refused')
      else expect(ours).toBe(theirs)
    },
  )
})
