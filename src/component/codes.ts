/** Error codes of this folder and what each means, for the README's table. */
export const COMPONENT_CODES = {
  EXTENSION_MISSING: 'A component names an extension that does not run.',
  EXTENSION_ROLE: 'A component names an extension that cannot do what it is named for.',
} as const
