import { expect, test } from 'vitest'
import { availableMemory } from '../../src/memory/available.ts'
import { budgetBytes } from '../../src/memory/budget.ts'

const MIB = 1 << 20
const GIB = 1024 * MIB
const UNSET = { limitMib: undefined, limitPercentage: undefined }

test.each([
  ['a cgroup with less than the machine counts', 8 * GIB, GIB, GIB],
  ['one with more than there is does not', 8 * GIB, 16 * GIB, 8 * GIB],
])('%s', (_, machine, cgroup, expected) => {
  expect(availableMemory(machine, cgroup)).toBe(expected)
})

test.each([
  ['a quarter', UNSET, 4 * GIB, GIB],
  ['2 GiB at most', UNSET, 64 * GIB, 2 * GIB],
  ['32 MiB at least', UNSET, 64 * MIB, 32 * MIB],
  ['the percentage, as large as it is', { ...UNSET, limitPercentage: 50 }, 64 * GIB, 32 * GIB],
  ['the size, which wins', { limitMib: 100, limitPercentage: 50 }, 64 * GIB, 100 * MIB],
])('the budget is %s', (_, admission, available, expected) => {
  expect(budgetBytes(admission, available)).toBe(expected)
})
