import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PAIRS } from '../config/older/pairs.ts'
import { otelcol } from './peers/registry.ts'
import { collectorVerdict } from './support/collector.ts'
import { needs } from './support/peers.ts'

// Today's Collector refuses the older configurations that run here, but for two that it takes with a warning or at start; what
// `sluice migrate` makes of them it takes.

const { skip, note } = needs(otelcol)

/** Not in the peer. */
const without = PAIRS.filter(({ modern }) => !modern.includes('zpages'))

const STILL_TAKEN = ['exporters under their old types', 'the protocol of own telemetry']

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-older-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe.skipIf(skip)(`the Go Collector takes only the new form${note}`, () => {
  test.each(without)('$name', async ({ name, older, modern }) => {
    const verdict = async (yaml: string): Promise<string> => {
      const file = join(folder, 'config.yaml')
      writeFileSync(file, yaml)
      return await collectorVerdict(file)
    }
    expect(await verdict(modern)).toBe('')
    expect(await verdict(older)).toMatch(STILL_TAKEN.includes(name) ? /^$/ : /cannot unmarshal the configuration/)
  })
})
