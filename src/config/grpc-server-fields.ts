import type { ServerKeepalive } from '../transport/grpc-server-keepalive.ts'
import { field, type ValueOf } from './field.ts'

// grpc-go's, which hold where nothing is written.
const DEFAULT_PING_MIN_TIME_MS = 300_000
const DEFAULT_PING_EVERY_MS = 7_200_000

/** `keepalive` of a gRPC server. */
export const serverKeepaliveField = field.object('How long a connection lives.', {
  server_parameters: field.object('When the server ends or checks connections.', {
    max_connection_idle: field.duration('Ends a connection without calls after this long; 0 is never.', {
      default: '0s',
      min: 0,
    }),
    max_connection_age: field.duration(
      'Ends a connection after this long, give or take a tenth, so that clients spread anew; 0 is never.',
      { default: '0s', min: 0 },
    ),
    max_connection_age_grace: field.duration('What calls under way then get; 0 is for ever.', {
      default: '0s',
      min: 0,
    }),
    time: field.duration('Pings a client that has been silent for this long; 0 means 2h.', { default: '2h', min: 0 }),
    timeout: field.duration('Ends a connection that leaves a ping unanswered for this long; 0 means 20s.', {
      default: '20s',
      min: 0,
    }),
  }),
  enforcement_policy: field.object('Ends connections that ping too often; holds without being written, too.', {
    min_time: field.duration('Least time between two pings; 0 means 5m.', { default: '5m', min: 0 }),
    permit_without_stream: field.bool('Lets clients ping that have no call under way more often than every 2h.', {
      default: false,
    }),
  }),
})

export function serverKeepalive(config: ValueOf<typeof serverKeepaliveField> | undefined): ServerKeepalive {
  const { server_parameters: parameters, enforcement_policy: policy } = config ?? {}
  const pings = {
    minTimeMs: policy?.min_time || DEFAULT_PING_MIN_TIME_MS,
    permitWithoutStream: policy?.permit_without_stream ?? false,
  }
  // grpc-go asks a silent client every two hours whether it is still there, told to or not.
  if (parameters === undefined) return { pings, pingEveryMs: DEFAULT_PING_EVERY_MS }
  return {
    pings,
    maxConnectionIdleMs: parameters.max_connection_idle,
    maxConnectionAgeMs: parameters.max_connection_age,
    maxConnectionAgeGraceMs: parameters.max_connection_age_grace,
    pingEveryMs: parameters.time || DEFAULT_PING_EVERY_MS,
    ...(parameters.timeout > 0 && { pingTimeoutMs: parameters.timeout }),
  }
}
