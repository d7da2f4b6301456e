/** Codes of this exporter's errors, each with what it means. */
export const FILE_CODES = {
  FILE_OPEN: 'The file of a `file` exporter cannot be opened; nothing starts.',
  FILE_SHARED: 'Two `file` exporters are to write the same file; nothing starts.',
} as const
