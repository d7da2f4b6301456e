import type { RunningSluice } from '../../support/sluice.ts'

/** What has to stand in `service.telemetry` for `ownMetrics`. */
export const OWN_METRICS = '{metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: 0}}}}]}}'

/** The values of Sluice's own metrics: the sum over the series of `name` that have all of `labels`. */
export async function ownMetrics(
  sluice: RunningSluice,
): Promise<(name: string, labels?: Readonly<Record<string, string>>) => number> {
  const url = sluice.listening.find(({ component }) => component === 'metrics')!.address
  const text = await (await fetch(url)).text()
  return (name, labels = {}) => {
    let sum = 0
    for (const [, series, set = '', value] of text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)) {
      if (series !== name) continue
      if (Object.entries(labels).every(([key, wanted]) => set.includes(`${key}="${wanted}"`))) sum += Number(value)
    }
    return sum
  }
}
