/** A configuration in an older form, and what it is today, byte for byte but for what changed. */
export interface Pair {
  readonly name: string
  readonly older: string
  readonly modern: string
  /** Of its warnings: line, column and the first words. */
  readonly warnings: readonly string[]
  /** Components are called otherwise than by the type's new name alone. */
  readonly otherIds?: true
}

/** The receiver of most. */
export const RECEIVER = `receivers: {otlp: {protocols: {grpc: }}}
`
