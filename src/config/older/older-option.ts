/** An option that a component of the Collector had once, as a definition lists it under `older`. */
export interface OlderOption {
  /** The key in lower case, on the first level of the component's options. */
  readonly key: string
  /** The key that took its place; absent where nothing did. */
  readonly now?: string
  /** The value that takes the place of each; absent where values are the same. */
  readonly values?: Readonly<Record<string, string>>
  /** Put before the value: a host before what was only a port. */
  readonly before?: string
  /** Why nothing took its place. */
  readonly reason?: string
}
