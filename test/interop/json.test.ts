import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { arenas } from '../../src/otlp/arena.ts'
import { toJson } from '../../src/otlp/json.ts'
import { fromJson } from '../../src/otlp/json-input.ts'
import type { PlainField, PlainObject } from '../../src/otlp/plain-object.ts'
import { validate } from '../../src/otlp/validate.ts'
import { WireError } from '../../src/otlp/wire-error.ts'
import { HTTP_PATHS } from '../../src/transport/otlp-services.ts'
import { randomRequest } from '../otlp/support/arbitraries.ts'
import { readProtobufEs } from '../otlp/support/oracles.ts'
import { Random } from '../otlp/support/random.ts'
import { alteredJson, unusualJson } from '../otlp/support/unusual-json.ts'
import { STABLE, type Stable } from '../support/otlp-services.ts'
import { freePort } from '../support/ports.ts'
import { otelcol } from './peers/registry.ts'
import { startCollector } from './support/collector.ts'
import { fileBackend } from './support/file-backend.ts'
import { endPeers, needs } from './support/peers.ts'
import { readRecords } from './support/record-files.ts'

// What the Go Collector takes as OTLP/JSON Sluice takes too, and reads the same. Not the other way round: Sluice takes a null for a
// number, and `1e3` for an integer. Left out is text that is no JSON, of which the Collector's reader takes some by accident.

const { skip, note } = needs(otelcol)
const DOCUMENTS = 600

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-json-'))
})

afterEach(() => {
  endPeers()
  rmSync(folder, { recursive: true, force: true })
})

interface Reading {
  readonly object: PlainObject
  readonly items: number
}

function read(signal: Stable, document: Uint8Array): Reading | undefined {
  try {
    const bytes = fromJson(signal, document, { limit: 1 << 24 })
    const reading = { object: readProtobufEs(signal, Uint8Array.from(bytes)), items: validate(signal, bytes) }
    arenas.release(bytes)
    return reading
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

/**
 * Without what the Collector adds or leaves out: empty messages, ids of zeros, minus zero, and the empty string, which it makes of a
 * `stringValue` of null.
 */
function comparable(value: PlainField): PlainField | undefined {
  if (value instanceof Uint8Array)
    return value.length === 16 || value.length === 8 ? (value.some(Boolean) ? value : undefined) : value
  if (typeof value !== 'object') return value === '' || Object.is(value, -0) ? undefined : value
  if (Array.isArray(value)) return value.map((element) => comparable(element) ?? {})
  const entries = Object.entries(value).flatMap(([name, field]) => {
    const kept = comparable(field)
    return kept === undefined ? [] : [[name, kept] as const]
  })
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

describe.skipIf(skip)(`OTLP/JSON as the Go Collector reads it${note}`, () => {
  test('what it takes is taken and means the same; what is refused here it refuses', async () => {
    const port = await freePort()
    const file = (signal: Stable): string => join(folder, `${signal}.bin`)
    const go = await startCollector(folder, 'collector', fileBackend('http', port, file), port)
    const seed = Math.floor(Math.random() * 2 ** 31)
    const random = new Random(seed)
    const tallies = { bothTake: 0, bothRefuse: 0, onlyHere: 0 }
    const expected = new Map<Stable, { document: string; reading: Reading }[]>(STABLE.map((signal) => [signal, []]))
    for (const signal of STABLE) {
      for (let i = 0; i < DOCUMENTS; i++) {
        const json = toJson(signal, [randomRequest(signal, random, random.below(3)).bytes])
        // As it is written here, as others might write it, and with something else in it.
        const document = [json, unusualJson(signal, json, random), alteredJson(json, random)][i % 3]!
        const answer = await fetch(`http://127.0.0.1:${port}${HTTP_PATHS[signal]}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: document,
        })
        const said = await answer.text()
        // 500 where its error quotes half a character of the document, which it cannot write as JSON.
        expect([200, 400, 500], said).toContain(answer.status)
        const reading = read(signal, document)
        const text = Buffer.from(document).toString()
        if (answer.status === 200) {
          if (reading === undefined) throw new Error(`the Collector takes what Sluice refuses, seed ${seed}: ${text}`)
          tallies.bothTake++
          if (reading.items > 0) expected.get(signal)!.push({ document: text, reading })
        } else if (reading === undefined) tallies.bothRefuse++
        else tallies.onlyHere++
      }
    }
    await go.stop()
    for (const signal of STABLE) {
      const written = readRecords(signal, file(signal))
      const wanted = expected.get(signal)!
      expect(written).toHaveLength(wanted.length)
      wanted.forEach(({ document, reading }, i) => {
        const here = comparable(reading.object)
        const there = comparable(written[i]!)
        if (!isDeepStrictEqual(here, there)) expect(here, `seed ${seed}: ${document}`).toStrictEqual(there)
      })
    }
    // Were nearly all of one kind, the test would say nothing about the other.
    expect(tallies.bothTake).toBeGreaterThan(DOCUMENTS / 2)
    expect(tallies.bothRefuse).toBeGreaterThan(DOCUMENTS / 10)
  }, 120_000)
})
