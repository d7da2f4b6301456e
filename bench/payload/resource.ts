import type { Writer } from '../../src/otlp/encode.ts'

const SERVICES = ['frontend', 'checkout', 'payment', 'inventory', 'shipping']

/** How many resources a request is spread over if its shape does not say. */
export const RESOURCES = SERVICES.length

/**
 * Writes one message of field 1 (ResourceSpans, ResourceLogs, ResourceMetrics): a resource of six attributes and one scope, whose
 * records `records` writes.
 */
export function withResource(writer: Writer, index: number, records: () => void): void {
  const service = SERVICES[index % SERVICES.length]!
  const whole = writer.begin(1)
  const resource = writer.begin(1)
  writer.keyValue(1, 'service.name', service)
  writer.keyValue(1, 'service.namespace', 'shop')
  writer.keyValue(1, 'service.version', `1.${index}.0`)
  writer.keyValue(1, 'service.instance.id', `${service}-7d9f8b6c5-${index}x2lp`)
  writer.keyValue(1, 'host.name', `node-${index}.eu-west-1.internal`)
  writer.keyValue(1, 'telemetry.sdk.language', 'nodejs')
  writer.end(resource)
  const scope = writer.begin(2)
  const identity = writer.begin(1)
  writer.string(1, '@opentelemetry/instrumentation-http')
  writer.string(2, '0.207.0')
  writer.end(identity)
  records()
  writer.end(scope)
  writer.end(whole)
}

/** How many of `items` the resource at `index` of `resources` gets. */
export function share(items: number, resources: number, index: number): number {
  return Math.floor(items / resources) + (index < items % resources ? 1 : 0)
}
