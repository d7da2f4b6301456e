import { expect, it } from 'vitest'
import nop from '../../../exporters/nop/nop.ts'
import { testContext } from '../../support/context.ts'
import { opaqueBatch, track } from '../../support/deliveries.ts'

it('says yes to everything at once', async () => {
  const exporter = await nop.create({}, testContext())
  const { delivery, events } = track(opaqueBatch(3))
  exporter.consume(delivery)
  expect(events).toEqual(['ok'])
})
