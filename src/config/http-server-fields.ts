import { field } from './field.ts'

/** How long connections of an HTTP server live, as `confighttp` spells it: the same for telemetry and for pages. */
export const connectionFields = {
  read_header_timeout: field.duration("Longest that a request's headers may take to arrive; 0 means `read_timeout`.", {
    default: '1m',
    min: 0,
  }),
  idle_timeout: field.duration('Ends a connection without requests after this long; 0 means `read_timeout`.', {
    default: '1m',
    min: 0,
  }),
  keep_alives_enabled: field.bool('Off: one request a connection.', { default: true }),
}
