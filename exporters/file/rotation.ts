import * as path from 'node:path'

export interface Rotation {
  readonly maxBytes: number
  /** 0: no limit. */
  readonly maxDays: number
  /** 0: no limit. */
  readonly maxBackups: number
  readonly localTime: boolean
}

const DAY_MS = 24 * 60 * 60 * 1000
const STAMP = /^(\d{4})-(\d\d)-(\d\d)T(\d\d)-(\d\d)-(\d\d)\.(\d{3})$/

/** What a full file is called: `dir/data.jsonl` at some time is `dir/data-2026-01-31T08-15-00.000.jsonl`. */
export function backupName(file: string, at: number, localTime: boolean): string {
  const { dir, name, ext } = path.parse(file)
  // A time in a zone is the UTC time of a moment that much later.
  const shown = localTime ? at - new Date(at).getTimezoneOffset() * 60_000 : at
  const stamp = new Date(shown).toISOString().slice(0, -1).replaceAll(':', '-')
  return path.join(dir, `${name}-${stamp}${ext}`)
}

/** When a file was full, from its name; undefined where it is none of `file`'s. */
export function backupTime(file: string, backup: string, localTime: boolean): number | undefined {
  const { name, ext } = path.parse(file)
  const base = path.basename(backup)
  if (!base.startsWith(`${name}-`) || !base.endsWith(ext)) return undefined
  const found = STAMP.exec(base.slice(name.length + 1, base.length - ext.length))
  if (found === null) return undefined
  const [year, month, day, hour, minute, second, ms] = found.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return localTime
    ? new Date(year, month - 1, day, hour, minute, second, ms).getTime()
    : Date.UTC(year, month - 1, day, hour, minute, second, ms)
}

/** Which of the names in `file`'s directory are full files of it that the limits no longer allow. */
export function expired(file: string, names: readonly string[], now: number, rotation: Rotation): string[] {
  const backups = names
    .map((name) => ({ name, at: backupTime(file, name, rotation.localTime) }))
    .filter((backup): backup is { name: string; at: number } => backup.at !== undefined)
    .sort((a, b) => b.at - a.at)
  const oldest = rotation.maxDays > 0 ? now - rotation.maxDays * DAY_MS : Number.NEGATIVE_INFINITY
  const most = rotation.maxBackups > 0 ? rotation.maxBackups : Number.POSITIVE_INFINITY
  return backups.filter(({ at }, i) => i >= most || at < oldest).map(({ name }) => name)
}
