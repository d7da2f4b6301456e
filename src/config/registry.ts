import type { Signal } from '../otlp/batch.ts'
import type { Fields } from './field.ts'
import type { OlderOption } from './older/older-option.ts'
import type { Section } from './resolved.ts'

export type Kind = 'receiver' | 'processor' | 'exporter' | 'connector' | 'extension'

/** What the configuration needs to know of a component: the part of its definition that describes it. */
export interface Described {
  readonly kind: Kind
  readonly type: string
  readonly aliases?: readonly string[]
  readonly stability?: string
  readonly signals: readonly Signal[]
  readonly summary: string
  readonly config: Fields
  readonly older?: readonly OlderOption[]
  check?(config: object): readonly { readonly path: readonly (string | number)[]; readonly message: string }[]
  checkSignal?(
    config: object,
    signal: Signal,
  ): readonly { readonly path: readonly (string | number)[]; readonly message: string }[]
  readonly connects?: readonly (readonly [from: Signal, to: Signal])[]
}

/** All components there are, looked up by kind and type. */
export interface Registry<D extends Described = Described> {
  readonly definitions: readonly D[]
  /** By type or alias. */
  find(kind: Kind, type: string): D | undefined
  /** Types of a kind, without aliases, sorted. */
  types(kind: Kind): readonly string[]
}

/** Throws where two definitions of a kind claim the same type or alias: a defect of whoever wrote them. */
export function createRegistry<D extends Described>(definitions: readonly D[]): Registry<D> {
  const byName = new Map<string, D>()
  for (const definition of definitions) {
    for (const name of [definition.type, ...(definition.aliases ?? [])]) {
      const key = `${definition.kind}:${name}`
      if (byName.has(key)) throw new Error(`two definitions claim the ${definition.kind} type "${name}"`)
      byName.set(key, definition)
    }
  }
  return {
    definitions,
    find: (kind, type) => byName.get(`${kind}:${type}`),
    types: (kind) =>
      definitions
        .filter((definition) => definition.kind === kind)
        .map((definition) => definition.type)
        .sort(),
  }
}

export const KIND_OF: Readonly<Record<Section, Kind>> = {
  receivers: 'receiver',
  processors: 'processor',
  exporters: 'exporter',
  connectors: 'connector',
  extensions: 'extension',
}
