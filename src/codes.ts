/** Codes of errors that have no list nearer to them, each with what it means. `src/README.md` shows all lists as one table. */
export const ENGINE_CODES = {
  NODE_MISSING: 'The launcher finds neither the pinned Node nor a recent one on the PATH.',
  COMPONENT_UNKNOWN: 'A lane was handed a component type that it does not have.',
  START_FAILED: 'A component could not be built or started; nothing runs.',
  LANE_LOST:
    'A worker thread ended by itself; what it held is booked as failed, reason `lane_lost`. The process ends when that happens too often.',
  WIRE_MALFORMED: 'A request is not well-formed OTLP; it was refused whole.',
} as const satisfies Readonly<Record<string, string>>
