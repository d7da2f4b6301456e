import { parseId } from './components.ts'
import type { Registry } from './registry.ts'
import { type Entry, isEmpty, type Mapping, treeOf } from './tree.ts'

/**
 * The configuration with `batch: {}` in every exporter's sending queue that says nothing of it: the gate
 * `pkg.exporterhelper.queueBatchEnabled`. Only queues that are on by themselves have that default in the Collector.
 */
export function withQueueBatches(root: Mapping, registry: Registry): Mapping {
  const section = root.entries.get('exporters')
  if (section?.value.kind !== 'map') return root
  const exporters = [...section.value.entries].map(([id, entry]): [string, Entry] => {
    const parsed = parseId(id)
    const definition = typeof parsed === 'string' ? undefined : registry.find('exporter', parsed.type)
    const queue = definition?.config['sending_queue']
    const batches =
      queue?.default !== undefined && queue.shape.kind === 'object' && Object.hasOwn(queue.shape.fields, 'batch')
    return [id, batches ? within(entry, 'sending_queue', (inner) => within(inner, 'batch', (batch) => batch)) : entry]
  })
  const value: Mapping = { ...section.value, entries: new Map(exporters) }
  return { ...root, entries: new Map([...root.entries, ['exporters', { ...section, value }]]) }
}

/** The entry, a mapping or nothing, with `key` in it, made where it is not there. Anything else stays what it is. */
function within(entry: Entry, key: string, edit: (entry: Entry) => Entry): Entry {
  const { value } = entry
  if (value.kind !== 'map' && !isEmpty(value)) return entry
  const mapping = value.kind === 'map' ? value : (treeOf({}, entry.key) as Mapping)
  const inner = mapping.entries.get(key) ?? { key: entry.key, value: treeOf({}, entry.key) }
  return { key: entry.key, value: { ...mapping, entries: new Map([...mapping.entries, [key, edit(inner)]]) } }
}
