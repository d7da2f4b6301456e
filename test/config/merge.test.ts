import { expect, test } from 'vitest'
import { formatProblem } from '../../src/config/problem.ts'
import { lines, load, SMALLEST } from './support/components.ts'

const yaml = (...texts: string[]): string[] => texts.map((text) => `yaml:${text}`)

test('mappings merge deep, lists are replaced, later sources win', async () => {
  const { config } = await load({
    config: yaml(
      SMALLEST,
      '{processors: {batch: {timeout: 1s, metadata_keys: [a, b]}}, service: {pipelines: {traces: {processors: [batch]}}}}',
      '{processors: {batch: {metadata_keys: [c]}}}',
    ),
  })
  expect(config?.processors['batch']?.config).toStrictEqual({
    send_batch_size: 8192,
    timeout: 1000,
    metadata_keys: ['c'],
  })
  expect(config?.service.pipelines).toStrictEqual([
    { id: 'traces', signal: 'traces', receivers: ['otlp'], processors: ['batch'], exporters: ['debug'] },
  ])
})

test('an empty section in a later source erases the earlier one, and that is a warning', async () => {
  const loaded = await load({
    config: yaml(
      '{processors: {batch: }, service: {pipelines: {traces: {processors: [batch]}}}}',
      SMALLEST,
      '{processors: }',
    ),
  })
  expect(loaded.warnings.map(formatProblem)).toStrictEqual([
    'yaml:1:2  processors: nothing stands here, which erases what yaml:1 has under this key; leave the key out to keep it  (CONFIG_ERASED)',
  ])
  expect(lines(loaded)).toStrictEqual([
    'yaml:1:69  service.pipelines.traces.processors[0]: no processor "batch" is configured; add "batch:" under processors  (CONFIG_REFERENCE)',
  ])
})

test('"::" parts keys, outside lists', async () => {
  const { config } = await load({
    config: yaml(
      SMALLEST,
      'exporters::debug::verbosity: normal',
      '{processors::attributes: {actions: [{key: "a::b", action: delete}]}, exporters: {"debug::sampling_initial": 7}}',
    ),
  })
  expect(config?.exporters['debug']?.config).toStrictEqual({ verbosity: 'normal', sampling_initial: 7 })
  expect(config?.processors['attributes']?.config).toStrictEqual({ actions: [{ key: 'a::b', action: 'delete' }] })
})

test('--set comes after every source, with dots for levels and YAML for values', async () => {
  const { config } = await load({
    config: yaml(SMALLEST),
    set: ['exporters.debug.verbosity=detailed', 'processors.batch={timeout: 3s}', 'exporters.debug.sampling_initial='],
  })
  expect(config?.exporters['debug']?.config).toStrictEqual({ verbosity: 'detailed', sampling_initial: 2 })
  expect(config?.processors['batch']?.config['timeout']).toBe(3000)
})

test('problems in --set point into its value', async () => {
  const loaded = await load({ config: yaml(SMALLEST), set: ['exporters.debug.verbosity=loud'] })
  expect(lines(loaded)).toStrictEqual([
    '--set exporters.debug.verbosity:1:27  exporters.debug.verbosity: expected one of basic, normal, detailed, got "loud"  (CONFIG_VALUE)',
  ])
})

test('what one source sets another may correct: only what remains is checked', async () => {
  const { problems } = await load({
    config: yaml(SMALLEST, 'exporters::debug::verbosity: loud', 'exporters::debug::verbosity: basic'),
  })
  expect(problems).toStrictEqual([])
})
