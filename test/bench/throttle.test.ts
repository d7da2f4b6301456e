import { expect, test } from 'vitest'
import { Throttle } from '../../bench/load/throttle.ts'

test('a job that takes longer than what may be made up for has its turn', async () => {
  // 5 items at 50 a second are 100 ms; twice, less what is made up for at the start.
  const throttle = new Throttle(50)
  const began = performance.now()
  const served: number[] = []
  const job = (number: number, gone = false): Promise<void> =>
    new Promise((resolve) => {
      throttle.push(
        5,
        () => gone,
        () => {
          served.push(number)
          resolve()
        },
      )
    })
  void job(1)
  void job(2, true)
  await job(3)
  expect(served).toEqual([1, 3])
  expect(performance.now() - began).toBeGreaterThan(2 * 100 - 50 - 1)
})
