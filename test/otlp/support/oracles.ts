import { createRequire } from 'node:module'
import {
  create,
  createFileRegistry,
  type DescMessage,
  fromBinary,
  type JsonValue,
  type Message,
  toBinary,
  toJson,
} from '@bufbuild/protobuf'
import { configureTextEncoding } from '@bufbuild/protobuf/wire'
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  OneofDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'
import type { Signal } from '../../../src/otlp/batch.ts'
import type { PlainField, PlainObject } from '../../../src/otlp/plain-object.ts'
import { type FieldSchema, MESSAGES, type MessageSchema, REQUESTS } from '../../../src/otlp/schema.ts'

/**
 * Two readers of OTLP that share no code with Sluice, both giving the plain object that `toPlain` gives: names as in the schema,
 * 64-bit as bigint, absent fields absent. Fields without presence that hold their default are left out by both.
 *
 * protobufjs replaces where protobuf says merge (a singular message that comes twice) and keeps both members of a oneof
 * that was set twice: it judges ordinary input, protobuf-es the unusual. Both drop what they do not know, on reading or here.
 */

// --- protobufjs, code generated from the official .proto files -------------------------------------------------------

interface Codec {
  decode(bytes: Uint8Array): Record<string, unknown>
  encode(message: object): { finish(): Uint8Array }
}
const root = createRequire(import.meta.url)(
  '../../../node_modules/otlp-transformer-with-decoder/build/src/generated/root.js',
) as { opentelemetry: { proto: { collector: Record<string, { v1: Record<string, Codec> }> } } }
const { trace, metrics, logs } = root.opentelemetry.proto.collector
const CODECS: Readonly<Record<Exclude<Signal, 'profiles'>, Codec>> = {
  traces: trace!.v1.ExportTraceServiceRequest!,
  metrics: metrics!.v1.ExportMetricsServiceRequest!,
  logs: logs!.v1.ExportLogsServiceRequest!,
}

/** What protobufjs reads. Throws on what it refuses; it knows no profiles. */
export function readProtobufjs(signal: Exclude<Signal, 'profiles'>, bytes: Uint8Array): PlainObject {
  return fromProtobufjs(REQUESTS[signal], CODECS[signal].decode(bytes))
}

/** The serialization that protobufjs makes of a plain object. */
export function writeProtobufjs(signal: Exclude<Signal, 'profiles'>, object: PlainObject): Uint8Array {
  // A plain Uint8Array: protobufjs gives a Buffer, and a deep comparison tells the two apart.
  return new Uint8Array(CODECS[signal].encode(toProtobufjs(object) as object).finish())
}

interface Long {
  readonly low: number
  readonly high: number
  readonly unsigned: boolean
}

function fromProtobufjs(schema: MessageSchema, message: Record<string, unknown>): PlainObject {
  const object: PlainObject = {}
  for (const field of schema.fields) {
    if (!Object.hasOwn(message, field.name)) continue
    const value = message[field.name]
    if (field.repeated) {
      const list = (value as unknown[]).map((element) => protobufjsValue(field, element))
      if (list.length > 0) object[field.name] = list
    } else {
      const plain = protobufjsValue(field, value)
      if (field.presence || !isDefault(plain)) object[field.name] = plain
    }
  }
  return object
}

function protobufjsValue(field: FieldSchema, value: unknown): PlainField {
  if (field.message) return fromProtobufjs(field.message, value as Record<string, unknown>)
  if (field.type === 'int64' || field.type === 'sfixed64' || field.type === 'uint64' || field.type === 'fixed64') {
    const { high, low } = value as Long
    const bits = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
    return field.type === 'int64' || field.type === 'sfixed64' ? BigInt.asIntN(64, bits) : bits
  }
  if (value instanceof Uint8Array) return new Uint8Array(value)
  return value as PlainField
}

function toProtobufjs(value: PlainField): unknown {
  if (typeof value === 'bigint') {
    return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)), unsigned: false }
  }
  if (value instanceof Uint8Array || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(toProtobufjs)
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, toProtobufjs(field)]))
}

// --- protobuf-es, from descriptors made of the schema ---------------------------------------------------------------------

// As Sluice reads text: invalid UTF-8 is kept on the wire and becomes U+FFFD for a reader, where protobuf-es would throw.
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
configureTextEncoding({
  encodeUtf8: (text) => encoder.encode(text),
  decodeUtf8: (bytes) => decoder.decode(bytes),
  checkUtf8: (text) => text.isWellFormed(),
})

const TYPES: Readonly<Record<FieldSchema['type'], FieldDescriptorProto_Type>> = {
  string: FieldDescriptorProto_Type.STRING,
  bytes: FieldDescriptorProto_Type.BYTES,
  bool: FieldDescriptorProto_Type.BOOL,
  int32: FieldDescriptorProto_Type.INT32,
  int64: FieldDescriptorProto_Type.INT64,
  uint32: FieldDescriptorProto_Type.UINT32,
  uint64: FieldDescriptorProto_Type.UINT64,
  sint32: FieldDescriptorProto_Type.SINT32,
  fixed32: FieldDescriptorProto_Type.FIXED32,
  fixed64: FieldDescriptorProto_Type.FIXED64,
  sfixed64: FieldDescriptorProto_Type.SFIXED64,
  double: FieldDescriptorProto_Type.DOUBLE,
  // proto3 enums are open: on the wire and to a reader they are int32.
  enum: FieldDescriptorProto_Type.INT32,
  message: FieldDescriptorProto_Type.MESSAGE,
}

function describe(schema: MessageSchema): DescriptorProto {
  const oneofs = [...new Set(schema.fields.flatMap((field) => field.oneof ?? []))]
  // A field that is `optional` is the only member of a oneof of its own, which must follow the real ones.
  const optionals = schema.fields.filter((field) => field.presence && field.oneof === undefined && !field.message)
  const indexOf = (field: FieldSchema): number | undefined => {
    if (field.oneof !== undefined) return oneofs.indexOf(field.oneof)
    const index = optionals.indexOf(field)
    return index < 0 ? undefined : oneofs.length + index
  }
  return create(DescriptorProtoSchema, {
    name: schema.name,
    oneofDecl: [...oneofs, ...optionals.map((field) => `_${field.name}`)].map((name) =>
      create(OneofDescriptorProtoSchema, { name }),
    ),
    field: schema.fields.map((field) => {
      const oneofIndex = indexOf(field)
      return create(FieldDescriptorProtoSchema, {
        name: field.name,
        jsonName: field.name,
        number: field.number,
        type: TYPES[field.type],
        label: field.repeated ? FieldDescriptorProto_Label.REPEATED : FieldDescriptorProto_Label.OPTIONAL,
        ...(field.message && { typeName: `.otlp.${field.message.name}` }),
        ...(oneofIndex !== undefined && { oneofIndex }),
        ...(optionals.includes(field) && { proto3Optional: true }),
      })
    }),
  })
}

const registry = createFileRegistry(
  create(FileDescriptorSetSchema, {
    file: [
      create(FileDescriptorProtoSchema, {
        name: 'otlp.proto',
        package: 'otlp',
        syntax: 'proto3',
        messageType: MESSAGES.map(describe),
      }),
    ],
  }),
)

function descriptor(schema: MessageSchema): DescMessage {
  const found = registry.getMessage(`otlp.${schema.name}`)
  if (!found) throw new Error(`no descriptor of ${schema.name}`)
  return found
}

/** What protobuf-es reads. Throws on what it refuses. */
export function readProtobufEs(signal: Signal, bytes: Uint8Array): PlainObject {
  const schema = REQUESTS[signal]
  return fromProtobufEs(schema, fromBinary(descriptor(schema), bytes, { readUnknownFields: false }))
}

/** The serialization that protobuf-es makes of a plain object. */
export function writeProtobufEs(signal: Signal, object: PlainObject): Uint8Array {
  const schema = REQUESTS[signal]
  return toBinary(descriptor(schema), toProtobufEs(schema, object))
}

/** The JSON that protobuf-es makes of a request: proto3's, so ids are in base64. */
export function jsonProtobufEs(signal: Signal, bytes: Uint8Array): JsonValue {
  const schema = descriptor(REQUESTS[signal])
  return toJson(schema, fromBinary(schema, bytes, { readUnknownFields: false }))
}

type Fields = Record<string, unknown>
type OneofValue = { readonly case?: string; readonly value?: unknown }

function fromProtobufEs(schema: MessageSchema, message: Message): PlainObject {
  const fields = message as unknown as Fields
  const object: PlainObject = {}
  for (const field of schema.fields) {
    let value = fields[field.name]
    if (field.oneof !== undefined) {
      const oneof = fields[field.oneof] as OneofValue
      if (oneof.case !== field.name) continue
      value = oneof.value
    } else if (field.repeated) {
      if ((value as unknown[]).length === 0) continue
    } else if (field.message || field.presence) {
      if (!Object.hasOwn(fields, field.name) || value === undefined) continue
    } else if (isDefault(value as PlainField)) continue
    object[field.name] = Array.isArray(value)
      ? value.map((element) => protobufEsValue(field, element))
      : protobufEsValue(field, value)
  }
  return object
}

function protobufEsValue(field: FieldSchema, value: unknown): PlainField {
  if (field.message) return fromProtobufEs(field.message, value as Message)
  return value instanceof Uint8Array ? new Uint8Array(value) : (value as PlainField)
}

function toProtobufEs(schema: MessageSchema, object: PlainObject): Message {
  const fields: Fields = {}
  for (const field of schema.fields) {
    const plain = object[field.name]
    if (plain === undefined) continue
    const convert = (value: PlainField): unknown =>
      field.message ? toProtobufEs(field.message, value as PlainObject) : value
    const value = Array.isArray(plain) ? plain.map(convert) : convert(plain)
    if (field.oneof !== undefined) fields[field.oneof] = { case: field.name, value }
    else fields[field.name] = value
  }
  return create(descriptor(schema), fields as never)
}

// --- common -----------------------------------------------------------------------------------------------------------------

function isDefault(value: PlainField): boolean {
  if (value instanceof Uint8Array) return value.length === 0
  return value === '' || value === 0n || value === false || Object.is(value, 0)
}

/** The object without fields that hold the default and have no presence: what both readers above return. */
export function withoutDefaults(schema: MessageSchema, object: PlainObject): PlainObject {
  const result: PlainObject = {}
  for (const field of schema.fields) {
    const value = object[field.name]
    if (value === undefined) continue
    const { message } = field
    if (message) {
      result[field.name] = Array.isArray(value)
        ? value.map((element) => withoutDefaults(message, element as PlainObject))
        : withoutDefaults(message, value as PlainObject)
    } else if (field.repeated || field.presence || !isDefault(value)) result[field.name] = value
  }
  return result
}
