import { afterEach, expect } from 'vitest'
import definition from '../../../../receivers/otlp/otlp.ts'
import type { Component } from '../../../../src/component/contracts.ts'
import { arenas } from '../../../../src/otlp/arena.ts'
import type { Signal } from '../../../../src/otlp/batch.ts'
import { Admission } from '../../../../src/transport/admission.ts'
import { deadlineIn, type TestContext, testContext } from '../../../support/context.ts'
import { Sink } from '../../../support/deliveries.ts'
import { configured } from '../../../transport/support/configured.ts'

/** Undone after the test, last first. */
export const cleanups: (() => unknown)[] = []
const budgets: Admission[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  expect(arenas.held, 'request bodies that nobody released').toBe(0)
  for (const admission of budgets.splice(0)) expect(admission.reserved, 'bytes that are still booked').toBe(0)
})

export interface Running {
  readonly component: Component
  readonly ctx: TestContext
  readonly sink: Sink
  /** Where it listens; empty for a protocol that is off. */
  readonly grpc: string
  readonly http: string
}

/** A receiver with both protocols on free ports of 127.0.0.1; `grpc` and `http` add to their configuration, false is off. */
export async function running({
  grpc = {},
  http = {},
  signals = ['traces', 'metrics', 'logs'] as readonly Signal[],
  extensions = {} as Readonly<Record<string, Component>>,
  acknowledge = 'admitted',
  admission = Admission.unbounded(),
}: {
  grpc?: object | false
  http?: object | false
  signals?: readonly Signal[]
  extensions?: Readonly<Record<string, Component>>
  acknowledge?: string
  admission?: Admission
} = {}): Promise<Running> {
  budgets.push(admission)
  const ctx = testContext({ kind: 'receiver', id: 'otlp', signals, extensions, admission })
  const sink = new Sink()
  const side = (more: object | false, key: string): object =>
    more === false ? {} : { [key]: { endpoint: '127.0.0.1:0', ...more } }
  const config = configured(definition, { protocols: { ...side(grpc, 'grpc'), ...side(http, 'http') }, acknowledge })
  const outputs = Object.fromEntries(signals.map((signal) => [signal, sink]))
  const component = await definition.create(config, ctx, outputs)
  cleanups.push(() => component.stop!(deadlineIn(ctx.clock, 0)))
  await component.start!()
  const address = (transport: string): string =>
    ctx.endpoints.find((each) => each.transport === transport)?.address ?? ''
  return { component, ctx, sink, grpc: address('grpc'), http: address('http') }
}

/** Resolves when `count` deliveries in all have come. */
export async function arrived(sink: Sink, count = 1): Promise<void> {
  await expect.poll(() => sink.deliveries.length).toBe(count)
}
