import { describe, expect, test } from 'vitest'
import attributes from '../../../processors/attributes/attributes.ts'
import { problemsOf } from '../support/run-record-processor.ts'

const at = 'processors.attributes'
const RE2 = 'regular expressions wait for the RE2 engine; list the keys one by one meanwhile'

describe('what an action may say', () => {
  test.each<[string, object, string]>([
    [
      'an unknown action',
      { key: 'a', action: 'upset' },
      'action: expected one of insert, update, upsert, delete, hash, convert, extract, got "upset"; did you mean "upsert"?  (CONFIG_VALUE)',
    ],
    ['extract', { key: 'a', action: 'extract' }, `action: "extract" is not supported yet: ${RE2}  (CONFIG_CONFLICT)`],
    [
      'a pattern',
      { key: 'a', action: 'delete', pattern: '.*' },
      `pattern: not supported: ${RE2}  (CONFIG_UNSUPPORTED)`,
    ],
    [
      'a value from the context',
      { key: 'a', action: 'insert', from_context: 'metadata.x' },
      'from_context: not supported: metadata does not reach record processors yet; use value or from_attribute  (CONFIG_UNSUPPORTED)',
    ],
    [
      'an empty key',
      { key: '', action: 'delete' },
      'key: expected the name of an attribute, got ""  (CONFIG_CONFLICT)',
    ],
    [
      'insert without a value',
      { key: 'a', action: 'insert' },
      '"insert" needs a value: add value, from_attribute or default_value  (CONFIG_CONFLICT)',
    ],
    [
      'upsert from an attribute without a name',
      { key: 'a', action: 'upsert', from_attribute: '' },
      '"upsert" needs a value: add value, from_attribute or default_value  (CONFIG_CONFLICT)',
    ],
    [
      'update from two sources',
      { key: 'a', action: 'update', value: '', from_attribute: 'b' },
      'from_attribute: expected one source, got this and "value"; remove one  (CONFIG_CONFLICT)',
    ],
    [
      'delete with a value',
      { key: 'a', action: 'delete', value: 1 },
      'value: "delete" has no use for this; remove it, or choose another action  (CONFIG_CONFLICT)',
    ],
    [
      'convert without a type',
      { key: 'a', action: 'convert' },
      '"convert" needs converted_type: one of int, double, string  (CONFIG_CONFLICT)',
    ],
    [
      'convert to a type that there is not',
      { key: 'a', action: 'convert', converted_type: 'bool' },
      'converted_type: expected one of int, double, string, got "bool"  (CONFIG_VALUE)',
    ],
  ])('%s is refused', async (_name, action, problem) => {
    const [prefix, ...rest] = await problemsOf(attributes, 'traces', { actions: [action] })
    expect(rest).toEqual([])
    expect(prefix).toBe(`${at}.actions[0]${problem.startsWith('"') ? ': ' : '.'}${problem}`)
  })

  test.each([
    { key: 'a', action: 'INSERT', value: 1 },
    { key: 'a', action: 'Upsert', value: '' },
    { key: 'a', action: 'update', from_attribute: 'b', default_value: false },
    { key: 'a', action: 'insert', default_value: 0 },
  ])('%o is taken', async (action) => {
    expect(await problemsOf(attributes, 'traces', { actions: [action] })).toEqual([])
  })

  test('there is at least one action', async () => {
    expect(await problemsOf(attributes, 'traces', {})).toHaveLength(1)
    expect(await problemsOf(attributes, 'traces', { actions: [] })).toHaveLength(1)
  })
})

describe('what include and exclude may say', () => {
  const actions = [{ key: 'a', action: 'delete' }]

  test.each<[string, object, string]>([
    [
      'regexp',
      { match_type: 'regexp', services: ['a.*'] },
      'include.match_type: regexp is not supported yet: patterns wait for the RE2 engine; list the names and use "strict" meanwhile  (CONFIG_CONFLICT)',
    ],
    [
      'nothing to match by',
      { match_type: 'strict', services: [] },
      'include: matches nothing: add at least one of services, span_names, span_kinds, attributes, resources, libraries, log_bodies, log_severity_texts, log_severity_number, metric_names  (CONFIG_CONFLICT)',
    ],
    [
      'an attribute without a name',
      { match_type: 'strict', attributes: [{ key: '' }] },
      'include.attributes[0].key: expected the name of an attribute, got ""  (CONFIG_CONFLICT)',
    ],
    [
      'a span kind by its short name',
      { match_type: 'strict', span_kinds: ['client'] },
      'include.span_kinds[0]: expected one of SPAN_KIND_INTERNAL, SPAN_KIND_SERVER, SPAN_KIND_CLIENT, SPAN_KIND_PRODUCER, SPAN_KIND_CONSUMER, got "client"; did you mean "SPAN_KIND_CLIENT"?  (CONFIG_VALUE)',
    ],
  ])('%s is refused', async (_name, include, problem) => {
    expect(await problemsOf(attributes, 'traces', { actions, include })).toEqual([`${at}.${problem}`])
  })

  test.each([
    ['logs', { services: ['a'] }, ['include.services: cannot match logs, use log_bodies, log_severity_texts, ']],
    [
      'metrics',
      { attributes: [{ key: 'a' }] },
      ['include.attributes: cannot match metrics, use metric_names, resources'],
    ],
    [
      'traces',
      { span_names: ['a'], log_bodies: ['a'], metric_names: ['b'] },
      ['include.log_bodies: cannot match traces, use ', 'include.metric_names: cannot match traces, use '],
    ],
  ] as const)('a pipeline of %s does not take %o', async (signal, properties, messages) => {
    const include = { match_type: 'strict', ...properties }
    const problems = await problemsOf(attributes, signal, { actions, include })
    expect(problems).toEqual(messages.map((message) => expect.stringContaining(`${at}.${message}`)))
    for (const problem of problems) {
      expect(problem).toContain(`; service.pipelines.${signal}.processors[0] uses it  (CONFIG_SIGNAL)`)
    }
  })

  test('two pipelines of a signal that it does not fit are one problem', async () => {
    const include = { match_type: 'strict', span_names: ['a'] }
    const problems = await problemsOf(attributes, ['traces', 'logs', 'logs/eu'], { actions, include })
    expect(problems).toEqual([
      expect.stringMatching(
        /include.span_names: cannot match logs, use .*; service.pipelines.logs.processors\[0\] uses it/,
      ),
    ])
  })
})
