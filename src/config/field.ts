/**
 * The vocabulary of component configurations: one plain value describes an option, and its type, default, bounds, JSON
 * Schema, validation and README row all follow from it.
 */

/** What every field says about itself. `T` is the type of the value that the component receives. */
export interface Field<T> {
  /** Never present at run time; carries `T` for inference. */
  readonly _value?: T
  readonly shape: Shape
  /** One sentence for README, schema and errors. */
  readonly doc: string
  /** As YAML would spell it (`'200ms'`, not 200); undefined where the option may be absent. */
  readonly default?: unknown
  readonly required?: boolean
  /** Sluice's own, not the Collector's. */
  readonly own?: boolean
}

export type Shape =
  | { readonly kind: 'bool' }
  | { readonly kind: 'int' | 'number'; readonly min?: number; readonly max?: number; readonly word?: string }
  | {
      readonly kind: 'string'
      readonly pattern?: RegExp
      readonly example?: string
      readonly secret?: boolean
      readonly extension?: boolean
    }
  | { readonly kind: 'enum'; readonly values: readonly string[]; readonly anyCase?: boolean }
  | { readonly kind: 'duration'; readonly min?: number; readonly max?: number }
  | { readonly kind: 'list'; readonly item: Field<unknown>; readonly minItems?: number; readonly commas?: boolean }
  | { readonly kind: 'map'; readonly value: Field<unknown>; readonly pairs?: boolean }
  | { readonly kind: 'object'; readonly fields: Fields }
  | { readonly kind: 'any' }
  /** A tuning knob of the Collector that has nothing to tune here: taken, listed, one INFO line. */
  | { readonly kind: 'noEffect'; readonly reason: string }
  /** A key of the Collector that Sluice does not have: refused by name. */
  | { readonly kind: 'unsupported'; readonly reason: string }

export type Fields = { readonly [key: string]: Field<unknown> }

/** The configuration type that a record of fields describes. Keys without effect or support are not in it. */
export type ConfigOf<F extends Fields> = {
  readonly [K in keyof F as [ValueOf<F[K]>] extends [never] ? never : K]: ValueOf<F[K]>
}
export type ValueOf<F> = F extends Field<infer T> ? T : never

interface Common {
  readonly own?: boolean
}
/** With a default or `required` the value is always there; without, it may be undefined. */
type Presence<T, O> = O extends { readonly default: unknown } | { readonly required: true } ? T : T | undefined

function make<T>(shape: Shape, doc: string, options: object = {}): Field<T> {
  const { default: fallback, required, own } = options as { default?: unknown; required?: boolean; own?: boolean }
  return {
    shape,
    doc,
    ...(fallback !== undefined && { default: fallback }),
    ...(required && { required }),
    ...(own && { own }),
  }
}

type Optional<T> = Common & ({ readonly default?: T; readonly required?: never } | { readonly required: true })

export const field = {
  bool<const O extends Optional<boolean>>(doc: string, options?: O): Field<Presence<boolean, O>> {
    return make({ kind: 'bool' }, doc, options)
  },
  int<const O extends Optional<number> & { readonly min?: number; readonly max?: number }>(
    doc: string,
    options?: O,
  ): Field<Presence<number, O>> {
    return make({ kind: 'int', ...bounds(options) }, doc, options)
  },
  /** An integer, or one word that stands for one. */
  intOr<
    const W extends string,
    const O extends Optional<number | W> & { readonly min?: number; readonly max?: number },
  >(doc: string, word: W, options?: O): Field<Presence<number | W, O>> {
    return make({ kind: 'int', word, ...bounds(options) }, doc, options)
  },
  number<const O extends Optional<number> & { readonly min?: number; readonly max?: number }>(
    doc: string,
    options?: O,
  ): Field<Presence<number, O>> {
    return make({ kind: 'number', ...bounds(options) }, doc, options)
  },
  string<const O extends Optional<string> & { readonly pattern?: RegExp; readonly example?: string }>(
    doc: string,
    options?: O,
  ): Field<Presence<string, O>> {
    return make(
      {
        kind: 'string',
        ...(options?.pattern && { pattern: options.pattern }),
        ...(options?.example && { example: options.example }),
      },
      doc,
      options,
    )
  },
  /** A string that is never echoed: in errors, logs and `print-config` it reads `[REDACTED]`. */
  secret<const O extends Optional<string>>(doc: string, options?: O): Field<Presence<string, O>> {
    return make({ kind: 'string', secret: true }, doc, options)
  },
  /** The id of an extension, which has to be in `service.extensions` where its component is used. */
  extension<const O extends Optional<string>>(doc: string, options?: O): Field<Presence<string, O>> {
    return make({ kind: 'string', extension: true }, doc, options)
  },
  /** One of `values`. `anyCase`: in upper or lower case, where the Collector does not care; the component receives `values`' spelling. */
  enum<const V extends readonly string[], const O extends Optional<V[number]> & { readonly anyCase?: boolean }>(
    doc: string,
    values: V,
    options?: O,
  ): Field<Presence<V[number], O>> {
    return make({ kind: 'enum', values, ...(options?.anyCase && { anyCase: true }) }, doc, options)
  },
  /**
   * Written as Go does (`200ms`, `1h30m`); the component receives milliseconds, which may be fractional. `min` and `max` are
   * milliseconds; without a `min` it is 0.
   */
  duration<const O extends Optional<string> & { readonly min?: number; readonly max?: number }>(
    doc: string,
    options?: O,
  ): Field<Presence<number, O>> {
    return make({ kind: 'duration', ...bounds(options) }, doc, options)
  },
  /** A list of strings may also be written as one with commas (`"a,b"`), as in the Collector, unless `commas` is false. */
  list<T, const O extends Optional<readonly unknown[]> & { readonly minItems?: number; readonly commas?: boolean }>(
    doc: string,
    item: Field<T>,
    options?: O,
  ): Field<Presence<readonly Exclude<T, undefined>[], O>> {
    return make(
      {
        kind: 'list',
        item,
        ...(options?.minItems !== undefined && { minItems: options.minItems }),
        ...(item.shape.kind === 'string' && options?.commas !== false && { commas: true }),
      },
      doc,
      options,
    )
  },
  /** With `pairs` also a list of `name` and `value`, as the Collector's headers may be written. */
  map<T, const O extends Optional<Readonly<Record<string, unknown>>> & { readonly pairs?: boolean }>(
    doc: string,
    value: Field<T>,
    options?: O,
  ): Field<Presence<Readonly<Record<string, Exclude<T, undefined>>>, O>> {
    return make({ kind: 'map', value, ...(options?.pairs === true && { pairs: true }) }, doc, options)
  },
  /**
   * Nested options. Default `{}`: always there, filled with its fields' defaults. Default absent: undefined unless the YAML
   * has the key, and a bare `key:` then means "with defaults" (the Collector's optional sections).
   */
  object<F extends Fields, const O extends Optional<Readonly<Record<string, unknown>>>>(
    doc: string,
    fields: F,
    options?: O,
  ): Field<Presence<ConfigOf<F>, O>> {
    return make({ kind: 'object', fields }, doc, options)
  },
  /** Whatever the YAML says, as plain data; an integer that a double cannot hold exactly is a BigInt. */
  any<const O extends Optional<unknown>>(doc: string, options?: O): Field<unknown> {
    return make({ kind: 'any' }, doc, options)
  },
  noEffect(doc: string, reason: string): Field<never> {
    return make({ kind: 'noEffect', reason }, doc)
  },
  unsupported(doc: string, reason: string): Field<never> {
    return make({ kind: 'unsupported', reason }, doc)
  },
}

function bounds(options?: { readonly min?: number; readonly max?: number }): { min?: number; max?: number } {
  return {
    ...(options?.min !== undefined && { min: options.min }),
    ...(options?.max !== undefined && { max: options.max }),
  }
}
