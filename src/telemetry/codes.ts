/** What the codes of errors and log lines of own telemetry mean. */
export const TELEMETRY_CODES = {
  LOG_OUTPUT: 'A file that log lines should go to cannot be opened; nothing starts.',
} as const
