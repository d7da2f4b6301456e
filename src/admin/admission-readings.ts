import type { Reading } from '../telemetry/registry.ts'
import type { Admission } from '../transport/admission.ts'

/** The byte budget: what there is, what is booked for what, and the most that ever was. */
export function admissionReadings(admission: Admission): Reading[] {
  const row = (name: string, description: string, value: number, labels = {}): Reading => ({
    kind: 'gauge',
    name,
    labels,
    description,
    unit: 'By',
    value,
  })
  const limit = ['sluice_admission_limit_bytes', 'Bytes that may be booked, by what for.'] as const
  const reserved = ['sluice_admission_reserved_bytes', 'Bytes that are booked, by what for.'] as const
  return [
    row(...limit, admission.limit, { use: 'requests' }),
    row(...limit, admission.connectionLimit, { use: 'connections' }),
    row(...reserved, admission.reserved, { use: 'requests' }),
    row(...reserved, admission.connections, { use: 'connections' }),
    row('sluice_admission_peak_bytes', 'The most bytes that requests ever had booked.', admission.peak),
    {
      ...row('sluice_admission_limited', '1 while a memory limiter keeps new requests out.', admission.limited ? 1 : 0),
      unit: '',
    },
  ]
}
