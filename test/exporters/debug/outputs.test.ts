import { pino } from 'pino'
import { afterEach, expect, test, vi } from 'vitest'
import { Outputs } from '../../../exporters/debug/outputs.ts'

afterEach(() => vi.restoreAllMocks())

test('what a reader does not take is left out past a mebibyte, and counted once it reads again', () => {
  const printed: string[] = []
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0)
  const unread = vi.spyOn(process.stdout, 'writableLength', 'get').mockReturnValue(0)
  const outputs = new Outputs(['stdout'], pino({ level: 'silent' }))

  outputs.print('one')
  unread.mockReturnValue(1 + (1 << 20))
  outputs.print('two')
  outputs.print('three')
  unread.mockReturnValue(0)
  outputs.print('four')
  outputs.print('five')
  expect(printed).toEqual(['one\n', '… 2 batches are not printed: the reader did not keep up\n', 'four\n', 'five\n'])
})
