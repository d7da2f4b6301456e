/**
 * Every code that a configuration problem can carry, with what it means. The README's table is checked against this list
 * in both directions.
 */
export const CODES = {
  CONFIG_READ: 'A source given with `--config`, or one that a reference names, cannot be read.',
  CONFIG_SCHEME: 'A source or reference names a scheme other than file, env, yaml, http and https.',
  CONFIG_SET: 'A `--set` is not of the form `key.sub=value`.',
  CONFIG_SYNTAX: 'A source is not YAML, or uses YAML that has no meaning in a configuration.',
  CONFIG_DUPLICATE_KEY: 'A key stands twice in one mapping.',
  CONFIG_DOCUMENTS: 'A source holds more than one YAML document.',
  CONFIG_TOO_LARGE: 'Aliases or nesting blow a source up past what a configuration can need.',
  CONFIG_EXPANSION: 'A reference cannot be expanded: a bad name, a reference to itself, too many in one value.',
  CONFIG_UNSET_ENV: 'Warning: a reference names an environment variable that is not set and has no default.',
  CONFIG_BARE_DOLLAR: 'Warning: `$NAME` without braces is plain text, as in the Collector.',
  CONFIG_ERASED: 'Warning: an empty key in a later source erases what an earlier one wrote under it.',
  CONFIG_EMPTY: 'There is nothing in the configuration.',
  CONFIG_UNKNOWN_KEY: 'A section or option that does not exist.',
  CONFIG_UNKNOWN_TYPE: 'No component of this kind has this type.',
  CONFIG_ID: 'An id is not `type` or `type/name`.',
  CONFIG_TYPE: 'A value is of the wrong type.',
  CONFIG_VALUE: 'A value is of the right type but out of bounds or not one of those allowed.',
  CONFIG_REQUIRED: 'An option that must be set is missing.',
  CONFIG_CONFLICT: 'Options that do not go together, as the component itself judges.',
  CONFIG_UNSUPPORTED: 'An option of the Collector that Sluice does not have.',
  CONFIG_NO_EFFECT: 'Note: an option of the Collector that has nothing to tune here.',
  CONFIG_DEPRECATED: 'Warning: an older form that the Collector takes no more, or only with a warning.',
  CONFIG_FEATURE_GATE: 'A feature gate that does not exist, or that this version cannot turn on.',
  CONFIG_PIPELINE: 'A pipeline without receivers or exporters, with a bad id, or none at all.',
  CONFIG_REFERENCE: 'A pipeline, the service or a component names a component that is not there.',
  CONFIG_SIGNAL: 'A component in a pipeline of a signal that it, or one of its options, does not support.',
  CONFIG_CONNECTOR: 'A connector with one end loose, or with the id of a receiver or exporter.',
  CONFIG_CYCLE: 'Connectors lead data round in a circle.',
  CONFIG_UNUSED: 'Warning: a component that nothing refers to.',
} as const satisfies Readonly<Record<string, string>>

export type ConfigCode = keyof typeof CODES
