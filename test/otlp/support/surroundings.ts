import type { PlainObject } from '../../../src/otlp/plain-object.ts'

const DATA = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary']

/** Every item with all that it lies in, in order; and everything that holds none. */
export function itemsWithSurroundings(object: PlainObject): unknown[] {
  const found: unknown[] = []
  const descend = (node: PlainObject, around: readonly unknown[]): void => {
    const lists = ['resourceSpans', 'resourceLogs', 'resourceMetrics', 'scopeSpans', 'scopeLogs', 'scopeMetrics']
    const name = Object.keys(node).find((key) => [...lists, 'metrics', ...DATA].includes(key))
    const leaves = Object.keys(node).find((key) => ['spans', 'logRecords', 'dataPoints'].includes(key))
    const own = (key: string) => Object.fromEntries(Object.entries(node).filter(([other]) => other !== key))
    if (leaves !== undefined) {
      for (const leaf of node[leaves] as PlainObject[]) found.push([...around, own(leaves), leaf])
    } else if (name !== undefined) {
      const below = node[name] as PlainObject | PlainObject[]
      for (const child of Array.isArray(below) ? below : [below]) descend(child, [...around, own(name), name])
    } else if (around.length > 0) found.push([...around, node])
  }
  descend(object, [])
  return found
}
