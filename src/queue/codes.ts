/** Codes of this folder's log lines, each with what it means. The README's table says the same, and a test compares. */
export const EXPORT_CODES = {
  EXPORT_UNREACHABLE: 'The peer does not answer at all; batches are held and tried again.',
  EXPORT_FAILING: 'The peer answers, but not with success; batches are held and tried again.',
  EXPORT_LOST: 'Acknowledged data was given up on.',
  EXPORT_QUEUE_FULL: 'The queue has no room; senders are told to come again, or wait.',
  EXPORT_PARTIAL_SUCCESS: 'The peer took a batch but refused some of its items for good.',
  EXPORT_TOO_LARGE: 'The peer refuses requests of this size; smaller ones are sent.',
} as const

export type ExportCode = keyof typeof EXPORT_CODES
