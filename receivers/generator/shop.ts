import type { PlainValue } from '../../src/otlp/cursors.ts'
import { Writer } from '../../src/otlp/encode.ts'
import type { Random } from './random.ts'

export type Attributes = readonly (readonly [key: string, value: PlainValue])[]

interface ServiceInfo {
  readonly language: string
  readonly version: string
  readonly port: number
  /** The instrumentation scope of its spans. */
  readonly scope: string
}

/** The web shop. */
export const SERVICES = {
  frontend: { language: 'nodejs', version: '4.12.0', port: 8080, scope: '@opentelemetry/instrumentation-http' },
  catalog: { language: 'go', version: '2.3.1', port: 3550, scope: 'go.opentelemetry.io/contrib/net/http/otelhttp' },
  recommendation: { language: 'python', version: '1.8.0', port: 8000, scope: 'opentelemetry.instrumentation.grpc' },
  cart: { language: 'dotnet', version: '3.0.5', port: 7070, scope: 'OpenTelemetry.Instrumentation.AspNetCore' },
  checkout: {
    language: 'go',
    version: '2.3.1',
    port: 5050,
    scope: 'go.opentelemetry.io/contrib/google.golang.org/grpc/otelgrpc',
  },
  payment: { language: 'java', version: '7.1.2', port: 50051, scope: 'io.opentelemetry.grpc-1.6' },
  shipping: { language: 'rust', version: '0.9.4', port: 50052, scope: 'tonic' },
  email: { language: 'ruby', version: '1.1.0', port: 6060, scope: 'OpenTelemetry::Instrumentation::Bunny' },
} satisfies Readonly<Record<string, ServiceInfo>>

export type ServiceName = keyof typeof SERVICES
export const SERVICE_NAMES = Object.keys(SERVICES) as ServiceName[]
export const INSTANCES = 2

/** One running instance of a service: an OTLP resource. */
export interface Instance {
  readonly service: ServiceName
  /** Field 1 of a `Resource…` message, tag and length included. */
  readonly resource: Uint8Array
  /** Field 1 of a `Scope…` message, tag and length included. */
  readonly scope: Uint8Array
}

export type Instances = Readonly<Record<ServiceName, readonly Instance[]>>

/** All instances, with ids of their own. */
export function makeInstances(random: Random): Instances {
  const writer = new Writer()
  const instanceOf = (service: ServiceName): Instance => {
    const info = SERVICES[service]
    const pod = `${service}-${random.digits(5)}`
    const attributes: Attributes = [
      ['service.name', service],
      ['service.namespace', 'shop'],
      ['service.version', info.version],
      ['service.instance.id', pod],
      ['deployment.environment.name', 'production'],
      ['telemetry.sdk.name', 'opentelemetry'],
      ['telemetry.sdk.language', info.language],
      ['host.name', `node-${1 + random.below(6)}.shop.example`],
      ['cloud.region', random.pick(['eu-central-1', 'eu-west-1'])],
      ['process.pid', BigInt(1 + random.below(400))],
    ]
    writer.reset()
    const resource = writer.begin(1)
    for (const [key, value] of attributes) writer.keyValue(1, key, value)
    writer.end(resource)
    const resourceField = writer.finish()
    writer.reset()
    const scope = writer.begin(1)
    writer.string(1, info.scope)
    writer.string(2, '1.4.0')
    writer.end(scope)
    return { service, resource: resourceField, scope: writer.finish() }
  }
  return Object.fromEntries(
    SERVICE_NAMES.map((service) => [service, Array.from({ length: INSTANCES }, () => instanceOf(service))]),
  ) as Record<ServiceName, Instance[]>
}

/** Unix time in nanoseconds from milliseconds, fraction included. */
export function nanoseconds(ms: number): bigint {
  const whole = Math.floor(ms)
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6))
}
