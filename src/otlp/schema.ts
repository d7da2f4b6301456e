import type { Signal } from './batch.ts'
import { DECLARED, type Declared, type ScalarType } from './schema-messages.ts'

/** How a value is laid out after its tag: https://protobuf.dev/programming-guides/encoding/#structure */
export const WIRE = { VARINT: 0, FIXED64: 1, LEN: 2, GROUP_START: 3, GROUP_END: 4, FIXED32: 5 } as const

/** One field of an OTLP message. Names are those of OTLP/JSON (lowerCamelCase). */
export interface FieldSchema {
  readonly number: number
  readonly name: string
  readonly type: ScalarType | 'message'
  /** Wire type of one element; repeated scalars other than strings and bytes may also come packed (LEN). */
  readonly wire: number
  readonly repeated: boolean
  /** Repeated and of a fixed or varint type, so both the packed and the unpacked form are valid. */
  readonly packable: boolean
  /** True where "set to the default" differs from "absent": `optional` fields and members of a oneof. */
  readonly presence: boolean
  readonly oneof?: string
  /** Trace, span and profile ids: OTLP/JSON writes them in hexadecimal, not in base64. */
  readonly hex: boolean
  /** Of a message field. */
  readonly message?: MessageSchema
  /** Of an enum: name by number. */
  readonly values?: readonly string[]
}

export interface MessageSchema {
  readonly name: string
  /** In the order in which they are declared, which is the order in which protobuf writes them. */
  readonly fields: readonly FieldSchema[]
  /** By field number. */
  readonly byNumber: ReadonlyMap<number, FieldSchema>
  /** By field name. */
  readonly byName: ReadonlyMap<string, FieldSchema>
}

/** Wire type of one element of a type. */
function wireOf(type: ScalarType | 'message'): number {
  switch (type) {
    case 'string':
    case 'bytes':
    case 'message':
      return WIRE.LEN
    case 'fixed64':
    case 'sfixed64':
    case 'double':
      return WIRE.FIXED64
    case 'fixed32':
      return WIRE.FIXED32
    default:
      return WIRE.VARINT
  }
}

class Message implements MessageSchema {
  readonly name: string
  readonly fields: FieldSchema[] = []
  readonly byNumber = new Map<number, FieldSchema>()
  readonly byName = new Map<string, FieldSchema>()

  constructor(name: string) {
    this.name = name
  }

  add(name: string, declared: Declared): void {
    const { number, type, oneof } = declared
    const wire = wireOf(type)
    const repeated = declared.repeated ?? false
    const field: FieldSchema = {
      number,
      name,
      type,
      wire,
      repeated,
      packable: repeated && wire !== WIRE.LEN,
      presence: declared.optional === true || oneof !== undefined,
      hex: declared.hex ?? false,
      ...(oneof !== undefined && { oneof }),
      ...(declared.message !== undefined && { message: messageNamed(declared.message) }),
      ...(declared.values !== undefined && { values: declared.values }),
    }
    this.fields.push(field)
    this.byNumber.set(number, field)
    this.byName.set(name, field)
  }
}

const messages = new Map(Object.keys(DECLARED).map((name) => [name, new Message(name)]))

/** A message by the name it has here; throws on an unknown one, which is a defect of the caller. */
export function messageNamed(name: string): MessageSchema {
  const message = messages.get(name)
  if (message === undefined) throw new Error(`no OTLP message is called ${name}`)
  return message
}

for (const [name, message] of messages) {
  for (const [fieldName, declared] of Object.entries(DECLARED[name]!)) message.add(fieldName, declared)
}

/** Every message that OTLP requests are made of. */
export const MESSAGES: readonly MessageSchema[] = [...messages.values()]

/** The request that a batch of a signal is. All four share one layout: field 1 resources, in each 2 scopes, in each 2 records. */
export const REQUESTS: Readonly<Record<Signal, MessageSchema>> = {
  traces: messageNamed('ExportTraceServiceRequest'),
  metrics: messageNamed('ExportMetricsServiceRequest'),
  logs: messageNamed('ExportLogsServiceRequest'),
  profiles: messageNamed('ExportProfilesServiceRequest'),
}
