import { describe, expect, it } from 'vitest'
import { event } from '../../test/fates.ts'
import { noon, world } from '../../test/world.ts'
import { deliveryFrame } from '../frame.ts'
import type { StoredEvent } from '../ports.ts'
import { messagesFor, orderedMessage, send, sendMissing, unsentOf } from './send.ts'

const push = event('p', { source: 'gh', type: 'github.push' })
const stored = (expects: readonly string[]): StoredEvent => ({
  event: push,
  content: 'c',
  expects,
  page: { hour: noon.slice(0, 13), shard: 0, page: 'x' },
})
const delivery = (subscriber: string, replay = '') => ({
  project: 'main',
  source: 'gh',
  id: 'p',
  subscriber,
  replay,
  state: 'done' as const,
  attempts: 1,
  started: noon,
  changed: noon,
  emitted: [],
})

describe('a message for a subscriber', () => {
  it('is a delivery frame with the whole event', () => {
    const [message] = messagesFor(push, ['analyze'], false)
    expect(deliveryFrame.parse(JSON.parse(message?.body ?? ''))).toEqual({ event: push, replay: '' })
  })

  it('says that it was sent before only when it was', () => {
    expect(messagesFor(push, ['a'], true)[0]?.body).toContain('"resent":true')
    expect(messagesFor(push, ['a'], false)[0]?.body).not.toContain('resent')
  })

  it('of an ordered route lies in the group of its key, however often it is sent', () => {
    const groupOf = (partitionkey: string, resent: boolean) =>
      messagesFor({ ...push, partitionkey }, ['a'], resent).map((one) => orderedMessage(one).group)
    expect(groupOf('k', true)).toEqual(groupOf('k', false))
    expect(groupOf('k', false)).not.toEqual(groupOf('l', false))
  })

  it('is none for nobody', () => {
    expect(messagesFor(push, [], false)).toEqual([])
  })
})

describe('sending on what is missing', () => {
  it('goes to each expected subscriber without a delivery', async () => {
    const w = world()
    const deliveries = [delivery('analyze')]
    expect(await sendMissing({ stored: stored(['analyze', 'validate']), deliveries }, w.deps)).toBeUndefined()
    expect([w.stores.queues.take('analyze').length, w.stores.queues.take('validate').length]).toEqual([0, 1])
  })

  it('takes no notice of replays: the live delivery is what is expected', async () => {
    const w = world()
    await sendMissing({ stored: stored(['analyze']), deliveries: [delivery('analyze', 'r1')] }, w.deps)
    expect(w.stores.queues.take('analyze')).toHaveLength(1)
  })

  it('calls nothing when nothing is missing', async () => {
    const w = world()
    await sendMissing({ stored: stored(['analyze']), deliveries: [delivery('analyze')] }, w.deps)
    expect(w.calls).toEqual([])
  })

  it('marks a name that is in no route dead, and sends the others', async () => {
    const w = world()
    await sendMissing({ stored: stored(['gone', 'analyze']), deliveries: [] }, w.deps)
    expect(w.deliveries()).toMatchObject([{ subscriber: 'gone', state: 'dead', attempts: 0 }])
    expect(w.stores.queues.take('analyze')).toHaveLength(1)
    expect(w.stores.queues.take('gone')).toEqual([])
  })
})

describe('what could not be sent', () => {
  it('is told per event, whichever of its subscribers it was', async () => {
    const w = world()
    const other = event('q', { source: 'gh' })
    w.instead(
      'queues',
      'send',
      (real) => async (queue, bodies) =>
        queue === 'validate' ? [{ index: 1, error: 'full' }] : real(queue, bodies),
    )
    const messages = [push, other].flatMap((one) => messagesFor(one, ['analyze', 'validate'], false))
    const unsent = await send(messages, w.deps)
    expect(unsentOf(unsent, push)).toEqual({})
    expect(unsentOf(unsent, other)).toEqual({ unsent: 'full' })
  })

  it('is everything for a queue that throws, and nothing of another', async () => {
    const w = world()
    w.instead('queues', 'send', (real) => async (queue, bodies) => {
      if (queue === 'validate') throw new Error('gone')
      return real(queue, bodies)
    })
    const unsent = await send(messagesFor(push, ['analyze', 'validate'], false), w.deps)
    expect(unsentOf(unsent, push)).toMatchObject({ unsent: { message: 'gone' } })
    expect(w.stores.queues.take('analyze')).toHaveLength(1)
  })
})
