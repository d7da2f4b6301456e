import { MessageChannel } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { Peers } from '../../src/lanes/peers.ts'

function listener(): { readonly heard: string[]; joined(lane: number): void; left(lane: number): void } {
  const heard: string[] = []
  return { heard, joined: (lane) => void heard.push(`+${lane}`), left: (lane) => void heard.push(`-${lane}`) }
}

test('who listens late hears of the lanes that are there, then of every change', () => {
  const peers = new Peers()
  peers.joined(1, new MessageChannel().port1)
  peers.joined(2, new MessageChannel().port1)
  peers.left(1)
  const { heard, ...late } = listener()
  peers.listen(late)
  peers.joined(1, new MessageChannel().port1)
  peers.left(2)
  peers.left(2)
  expect(heard).toEqual(['+2', '+1', '-2'])
  peers.close()
  expect(heard).toEqual(['+2', '+1', '-2', '-1'])
})

test('a lane that takes the place of another is one that left and one that joined', () => {
  const peers = new Peers()
  const { heard, ...both } = listener()
  peers.listen(both)
  peers.joined(1, new MessageChannel().port1)
  peers.joined(1, new MessageChannel().port1)
  expect(heard).toEqual(['+1', '-1', '+1'])
  peers.close()
})
