import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backupName, backupTime, expired } from '../../../exporters/file/rotation.ts'

const DAY = 24 * 60 * 60 * 1000

describe('names of full files', () => {
  it('carry the time before the extension', () => {
    const at = Date.UTC(2026, 0, 31, 8, 15, 0, 7)
    expect(backupName('/var/data.jsonl', at, false)).toBe('/var/data-2026-01-31T08-15-00.007.jsonl')
    expect(backupName('data', at, false)).toBe('data-2026-01-31T08-15-00.007')
  })

  it('read back as the time they were made of', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), (at) => {
        expect(backupTime('/x/a-b.c.json', backupName('/x/a-b.c.json', at, false), false)).toBe(at)
      }),
    )
  })

  it('are not mistaken for those of other files', () => {
    for (const name of [
      'data.jsonl',
      'data-old.jsonl',
      'data-2026-01-31T08-15-00.007.gz',
      'x-2026-01-31T08-15-00.007.jsonl',
    ]) {
      expect(backupTime('data.jsonl', name, false)).toBeUndefined()
    }
  })
})

describe('which files go', () => {
  const now = Date.UTC(2026, 5, 1)
  const names = [1, 2, 3, 4].map((days) => backupName('data.jsonl', now - days * DAY, false))
  const limits = { maxBytes: 1, maxDays: 0, maxBackups: 0, localTime: false }

  it('are those older than max_days', () => {
    expect(expired('data.jsonl', names, now, { ...limits, maxDays: 2 })).toEqual([names[2], names[3]])
  })
  it('are the oldest past max_backups', () => {
    expect(expired('data.jsonl', ['unrelated', ...names.toReversed()], now, { ...limits, maxBackups: 3 })).toEqual([
      names[3],
    ])
  })
  it('are none without limits', () => {
    expect(expired('data.jsonl', names, now, limits)).toEqual([])
  })
})
