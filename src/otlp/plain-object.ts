/** A value of `toPlain`'s tree: 64-bit numbers are bigints, enums numbers, bytes a copy. */
export type PlainField = string | number | bigint | boolean | Uint8Array | PlainObject | PlainField[]

/** An OTLP message as a tree of plain objects: names as in `schema.ts`, absent fields absent, unknown ones left out. */
export interface PlainObject {
  [name: string]: PlainField
}
