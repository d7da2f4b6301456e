import { stringify } from 'yaml'
import { formatDuration } from './duration.ts'
import type { Field, Fields } from './field.ts'
import { KIND_OF, type Registry } from './registry.ts'
import { type ResolvedConfig, SECTIONS, type Section } from './resolved.ts'
import { TELEMETRY } from './telemetry-fields.ts'
import type { Path } from './tree.ts'

const REDACTED = '[REDACTED]'

export interface PrintOptions {
  /** Shows secrets as they are. */
  readonly unredacted?: boolean
  /** YAML unless it says `json`. */
  readonly format?: 'yaml' | 'json'
}

/** The effective configuration, defaults included, as a text that can be run again where nothing is redacted. */
export function printConfig(config: ResolvedConfig, registry: Registry, options: PrintOptions = {}): string {
  const effective = effectiveConfig(config, registry, options)
  if (options.format === 'json') return `${JSON.stringify(effective, jsonValue, 2)}\n`
  return stringify(effective, {
    // Quotes whatever YAML 1.1 would not read as a string: go-yaml keeps some of it.
    compat: 'yaml-1.1',
    lineWidth: 0,
    indentSeq: false,
  })
}

/** An integer that a double cannot hold is text in JSON. */
function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

/** What `printConfig` writes, as plain data: durations spelled out, secrets redacted, `$` escaped. */
export function effectiveConfig(
  config: ResolvedConfig,
  registry: Registry,
  options: PrintOptions = {},
): Record<string, unknown> {
  const printer = new Printer(config.secrets, options.unredacted === true)
  const effective: Record<string, unknown> = {}
  for (const section of SECTIONS) {
    const components = printSection(config, section, registry, printer)
    if (components.length > 0) effective[section] = Object.fromEntries(components)
  }
  effective['service'] = printService(config, printer)
  return effective
}

function printSection(
  config: ResolvedConfig,
  section: Section,
  registry: Registry,
  printer: Printer,
): [id: string, options: unknown][] {
  return Object.values(config[section]).map(({ id, type, config: options }) => {
    const fields = registry.find(KIND_OF[section], type)?.config ?? {}
    return [id, printer.object(fields, options, [section, id])]
  })
}

function printService({ service }: ResolvedConfig, printer: Printer): unknown {
  const { admission } = service
  const pipelines = service.pipelines.map(({ id, receivers, processors, exporters }) => [
    id,
    { receivers, processors, exporters },
  ])
  return {
    extensions: service.extensions,
    pipelines: Object.fromEntries(pipelines),
    telemetry: printer.object(TELEMETRY, service.telemetry, ['service', 'telemetry']),
    admission: {
      ...(admission.limitMib !== undefined && { limit_mib: admission.limitMib }),
      ...(admission.limitPercentage !== undefined && { limit_percentage: admission.limitPercentage }),
    },
    lanes: service.lanes,
    lane_restarts_per_minute: service.laneRestartsPerMinute,
    shutdown_timeout: formatDuration(service.shutdownTimeoutMs),
  }
}

class Printer {
  readonly #secrets: ReadonlySet<string>
  readonly #unredacted: boolean

  constructor(secrets: ResolvedConfig['secrets'], unredacted: boolean) {
    this.#secrets = new Set(unredacted ? [] : secrets.map((path) => JSON.stringify(path)))
    this.#unredacted = unredacted
  }

  object(fields: Fields, value: unknown, path: Path): unknown {
    if (typeof value !== 'object' || value === null) return value
    const options = Object.entries(value).map(([key, option]): [string, unknown] => {
      const field = Object.hasOwn(fields, key) ? fields[key] : undefined
      return [key, field === undefined ? this.any(option, [...path, key]) : this.#option(field, option, [...path, key])]
    })
    return Object.fromEntries(options.filter(([, option]) => option !== undefined))
  }

  any(value: unknown, path: Path): unknown {
    if (this.#secrets.has(JSON.stringify(path))) return REDACTED
    if (typeof value === 'string') return this.#text(value).replaceAll('$', '$$$$')
    if (Array.isArray(value)) return value.map((item, index) => this.any(item, [...path, index]))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.any(item, [...path, key])]))
  }

  /** Credentials in a URL are secret wherever it stands. */
  #text(value: string): string {
    return this.#unredacted ? value : value.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, `$1${REDACTED}@`)
  }

  #option({ shape }: Field<unknown>, value: unknown, path: Path): unknown {
    if (value === undefined || this.#secrets.has(JSON.stringify(path))) return this.any(value, path)
    if (shape.kind === 'duration') return formatDuration(value as number)
    if (shape.kind === 'object') return this.object(shape.fields, value, path)
    if (shape.kind === 'list') {
      return (value as unknown[]).map((item, index) => this.#option(shape.item, item, [...path, index]))
    }
    if (shape.kind === 'map') {
      const entries = Object.entries(value as Record<string, unknown>)
      return Object.fromEntries(entries.map(([key, item]) => [key, this.#option(shape.value, item, [...path, key])]))
    }
    return this.any(value, path)
  }
}
