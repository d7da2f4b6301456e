import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { assert, asyncProperty, integer } from 'fast-check'
import { expect, test } from 'vitest'
import type { Loaded } from '../../src/config/load.ts'
import { loadText } from './support/components.ts'
import { soup } from './support/soup.ts'

function expectSound({ config, problems, warnings }: Loaded): void {
  expect(config === undefined).toBe(problems.length > 0)
  for (const { line, col, message } of [...problems, ...warnings]) {
    expect(line).toBeGreaterThan(0)
    expect(col).toBeGreaterThan(0)
    expect(message).not.toMatch(/undefined|\[object|NaN/)
  }
}

test('no text makes the loader throw', async () => {
  const variables = { X: '$' + '{env:X}' }
  await assert(
    asyncProperty(soup, async (text) => expectSound(await loadText(text, variables))),
    { numRuns: 3000 },
  )
})

test('nor does a sound configuration with soup in it', async () => {
  const whole = readFileSync(join(import.meta.dirname, 'wrong/telemetry.yaml'), 'utf8')
  await assert(
    asyncProperty(integer({ min: 0, max: whole.length }), integer({ min: 0, max: 20 }), soup, async (at, cut, text) => {
      expectSound(await loadText(whole.slice(0, at) + text + whole.slice(at + cut)))
    }),
    { numRuns: 1000 },
  )
})
