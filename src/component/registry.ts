import { createRegistry, type Registry } from '../config/registry.ts'
import { SluiceError } from '../errors.ts'
import type { ComponentKind } from './contracts.ts'
import type {
  BatchProcessorDefinition,
  ConnectorDefinition,
  Definition,
  ExporterDefinition,
  HostExtensionDefinition,
  LaneExtensionDefinition,
  ReceiverDefinition,
  RecordProcessorDefinition,
} from './define.ts'

// A list holds definitions of any configuration type, so the parameter is erased here and nowhere else.
type Erased<D> = {
  [K in keyof D]: NonNullable<D[K]> extends (...args: infer _) => infer R ? (...args: never[]) => R : D[K]
}

/** The five lists of what there is. */
export interface ComponentLists {
  readonly receivers: readonly Erased<ReceiverDefinition>[]
  readonly processors: readonly (Erased<BatchProcessorDefinition> | Erased<RecordProcessorDefinition>)[]
  readonly exporters: readonly Erased<ExporterDefinition>[]
  readonly connectors: readonly Erased<ConnectorDefinition>[]
  readonly extensions: readonly (Erased<LaneExtensionDefinition> | Erased<HostExtensionDefinition>)[]
}

/** Every definition of the lists, found by kind and by any of its names. */
export function registryOf(lists: ComponentLists): Registry<Definition> {
  return createRegistry(Object.values(lists).flat() as unknown as Definition[])
}

/** The definition of a type that a validated configuration names. */
export function definitionOf(registry: Registry<Definition>, kind: ComponentKind, type: string): Definition {
  const definition = registry.find(kind, type)
  if (definition === undefined) throw new SluiceError('COMPONENT_UNKNOWN', `no ${kind} has the type ${type}`)
  return definition
}
