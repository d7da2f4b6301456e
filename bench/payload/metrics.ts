import { Writer } from '../../src/otlp/encode.ts'
import { seeded } from './random.ts'
import { RESOURCES, share, withResource } from './resource.ts'
import type { TraceShape } from './traces.ts'

const TIME = 1_760_000_000_000_000_000n
const POINTS_PER_METRIC = 20
const CUMULATIVE = 2

/**
 * One serialized ExportMetricsServiceRequest: points of five attributes, twenty a metric, half of the metrics gauges of
 * doubles and half cumulative sums of integers.
 */
export function metricsRequest({ items, itemBytes, seed, resources = RESOURCES }: TraceShape): Uint8Array<ArrayBuffer> {
  const random = seeded(seed)
  const writer = new Writer(items * itemBytes)
  for (let r = 0; r < resources; r++) {
    const points = share(items, resources, r)
    if (points === 0) continue
    withResource(writer, r, () => {
      for (let done = 0, m = 0; done < points; done += POINTS_PER_METRIC, m++) {
        metric(writer, m, Math.min(POINTS_PER_METRIC, points - done), itemBytes, random)
      }
    })
  }
  return writer.finish()
}

function metric(writer: Writer, index: number, points: number, itemBytes: number, random: () => number): void {
  const sum = index % 2 === 1
  const metric = writer.begin(2)
  writer.string(1, sum ? `http.server.requests.${index}` : `process.cpu.utilization.${index}`)
  writer.string(3, '1')
  const data = writer.begin(sum ? 7 : 5)
  for (let i = 0; i < points; i++) point(writer, i, sum, itemBytes, random)
  if (sum) {
    writer.uint(2, CUMULATIVE)
    writer.uint(3, 1)
  }
  writer.end(data)
  writer.end(metric)
}

function point(writer: Writer, index: number, sum: boolean, itemBytes: number, random: () => number): void {
  const begun = writer.begin(1)
  const from = writer.length
  writer.fixed64(2, TIME)
  writer.fixed64(3, TIME + 10_000_000_000n)
  if (sum) writer.fixed64(6, BigInt(Math.floor(random() * 1e6)))
  else writer.fixed64(4, BigInt(Math.floor(random() * 2 ** 52)) | 0x3fe0000000000000n)
  writer.keyValue(7, 'http.request.method', index % 2 ? 'GET' : 'POST')
  writer.keyValue(7, 'http.route', '/cart')
  writer.keyValue(7, 'status', 200n)
  writer.keyValue(7, 'zone', `eu-${index % 3}`)
  const missing = itemBytes - (writer.length - from) - 12
  writer.keyValue(7, 'pod', `p-${index}`.padEnd(missing, 'x'))
  writer.end(begun)
}
