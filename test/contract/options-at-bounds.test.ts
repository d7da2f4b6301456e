import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Component } from '../../src/component/contracts.ts'
import type { Consumer } from '../../src/component/delivery.ts'
import type { Field, Fields } from '../../src/config/field.ts'
import { deadlineIn } from '../../src/lanes/deadline.ts'
import { track } from '../support/deliveries.ts'
import { createWith } from './support/create.ts'
import { someBatches } from './support/data.ts'
import { definitions, nameOf, pipelineWith, resolve, SMALLEST } from './support/subjects.ts'

// Every option alone at the ends of what it may be: refused when it is read, or the component starts, takes a batch where it can, and stops.
// What this does not show: that the option does what it says, nor two options at their ends.

/** Go's longest duration. */
const CENTURIES = '2562047h'
const LARGE = Number.MAX_SAFE_INTEGER
/** A section that only stands there. */
const EMPTY = {}

type Value = [path: readonly string[], value: unknown]

function* values(fields: Fields, above: readonly string[] = []): Generator<Value> {
  for (const [key, field] of Object.entries(fields)) yield* valuesOf(field, [...above, key])
}

function* valuesOf({ shape }: Field<unknown>, path: readonly string[]): Generator<Value> {
  if (shape.kind === 'object') {
    yield [path, EMPTY]
    yield* values(shape.fields, path)
  }
  for (const value of ends(shape)) yield [path, value]
}

function ends(shape: Field<unknown>['shape']): readonly unknown[] {
  switch (shape.kind) {
    case 'bool':
      return [true, false]
    case 'int':
    case 'number':
      return [shape.min ?? -LARGE, 0, 1, shape.max ?? LARGE]
    case 'duration':
      return ['0s', '1ns', '1500us', CENTURIES]
    case 'enum':
      return shape.values
    default:
      return []
  }
}

/**
 * The smallest configuration with one value in it; sections on the way are made. An empty section is the smallest's own where that has it:
 * with all defaults it would listen on the ports that everybody knows.
 */
function withValue(smallest: object, [path, value]: Value): object {
  const [key, ...rest] = path
  if (key === undefined) return value as object
  const below = (smallest as Record<string, object | undefined>)[key]
  const last = value === EMPTY ? (below ?? value) : value
  return { ...smallest, [key]: rest.length === 0 ? last : withValue(below ?? {}, [rest, value]) }
}

const warnings: string[] = []
const warned = ({ name, message }: Error): void => void warnings.push(`${name}: ${message}`)
beforeAll(() => process.on('warning', warned))
afterAll(() => process.off('warning', warned))

// Made to make as much as it is told to.
const subjects = definitions.filter(({ type }) => type !== 'generator')

describe.each(subjects.map((definition) => [nameOf(definition), definition] as const))('%s', (name, subject) => {
  test('starts and stops with any option at either end, or is refused before', async () => {
    const failures: string[] = []
    for (const one of values(subject.config)) {
      const said = `${one[0].join('.')}: ${JSON.stringify(one[1])}`
      const options = withValue(SMALLEST[name]!, one)
      let config: object
      try {
        const resolved = await resolve(pipelineWith(subject, subject.signals[0], options))
        config = resolved[`${subject.kind}s`][subject.type]!.config
      } catch {
        continue
      }
      try {
        const component = await createWith(subject, config)
        const deadline = deadlineIn(2000)
        onTestFinished(() => deadline.clear())
        try {
          await component.start?.()
          component.ready?.()
          if ('consume' in component) {
            const signal = subject.signals[0]!
            ;(component as Component & Consumer).consume(track(someBatches(signal, 1)[0]!).delivery)
            // Timers are set by then.
            await new Promise((resolve) => setTimeout(resolve, 5))
          }
        } finally {
          component.stopping?.()
          await component.stop?.(deadline)
          deadline.clear()
        }
      } catch (error) {
        failures.push(`${said}: ${(error as Error).message}`)
      }
      await new Promise((resolve) => setImmediate(resolve))
      failures.push(...warnings.splice(0).map((warning) => `${said}: ${warning}`))
    }
    expect(failures).toEqual([])
  }, 60_000)
})
