import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { queuesContract } from '../../adapters/contract/queues.ts'
import { chanceOf } from './chance.ts'
import { type QueueFaults, simulatedQueues } from './queues.ts'

const calm: QueueFaults = { duplicate: 0, reorder: 0, immovable: 0 }
const day = 86_400_000

/** Queues at a time that is moved by hand; those whose name ends in `ordered` keep order. */
function queued({ faults = {}, after = 2 }: { faults?: Partial<QueueFaults>; after?: number } = {}) {
  let at = 0
  const queues = simulatedQueues({
    settingsOf: (name) => ({
      visibility: 60_000,
      retention: 4 * day,
      ordered: name.endsWith('ordered'),
      fails: name.startsWith('dead') ? undefined : { to: `dead-${name}`, after },
    }),
    now: () => at,
    chance: chanceOf(1),
    faults: () => ({ ...calm, ...faults }),
  })
  const receive = (queue: string, most = 10) => queues.receive(queue, most).map(({ body }) => body)
  const inGroup = (group: string, ...bodies: string[]) =>
    bodies.map((body) => ({ body, group, dedupe: `${group}-${body}` }))
  return {
    queues,
    receive,
    inGroup,
    advance: (milliseconds: number) => {
      at += milliseconds
    },
  }
}

describe('what every queue promises', () => {
  queuesContract(() => {
    const { queues } = queued()
    const drain = async (queue: string) => {
      const bodies: string[] = []
      for (let batch = queues.receive(queue, 10); batch.length > 0; batch = queues.receive(queue, 10))
        for (const message of batch) {
          bodies.push(message.body)
          queues.remove(queue, message, message.receipt)
        }
      return bodies
    }
    return {
      queues,
      fresh: async () => randomUUID(),
      freshOrdered: async () => `${randomUUID()}-ordered`,
      drain,
    }
  })
})

describe('a queue in virtual time', () => {
  test('hides what was received, and hands it out again when its time has passed', async () => {
    const { queues, receive, advance } = queued()
    await queues.send('a', ['one'])
    expect(receive('a')).toEqual(['one'])
    expect(receive('a')).toEqual([])
    expect(await queues.depth('a')).toBe(1)
    advance(60_000)
    expect(queues.receive('a', 1)).toMatchObject([{ body: 'one', receives: 2 }])
  })

  test('is told how long to hide one, by the receipt that counts', async () => {
    const { queues, receive, advance } = queued()
    await queues.send('a', ['one'])
    const [first] = queues.receive('a', 1)
    queues.hide('a', first?.id ?? '', first?.receipt ?? 0, 5000)
    advance(5000)
    const [second] = queues.receive('a', 1)
    expect(second?.body).toBe('one')
    queues.hide('a', first?.id ?? '', first?.receipt ?? 0, 0)
    expect(receive('a')).toEqual([])
    expect(first && queues.remove('a', first, first.receipt)).toBe(false)
    expect(second && queues.remove('a', second, second.receipt)).toBe(true)
    expect(await queues.depth('a')).toBe(0)
  })

  test('puts among the dead letters what was received too often, with whose it is', async () => {
    const { queues, receive, advance } = queued()
    await queues.send('a', ['one'])
    for (let time = 0; time < 2; time++) {
      expect(receive('a')).toEqual(['one'])
      advance(60_000)
    }
    expect(receive('a')).toEqual([])
    expect(queues.receive('dead-a', 1)).toMatchObject([{ body: 'one', attributes: { queue: 'a' }, sent: 0 }])
  })

  test('forgets what nobody came for', async () => {
    const { queues, receive, advance } = queued()
    await queues.send('a', ['one'])
    advance(4 * day + 1)
    expect(await queues.depth('a')).toBe(0)
    expect(receive('a')).toEqual([])
  })

  test('hands one out twice at once, or out of order, where that is to happen', async () => {
    const { queues, receive, advance } = queued({ faults: { duplicate: 1 }, after: 9 })
    await queues.send('a', ['one'])
    expect(receive('a')).toEqual(['one'])
    advance(50)
    expect(receive('a')).toEqual(['one'])
    const shuffled = queued({ faults: { reorder: 1 } })
    await shuffled.queues.send('a', ['1', '2', '3', '4', '5', '6', '7', '8'])
    expect(shuffled.receive('a').join('')).not.toBe('12345678')
  })

  test('of an ordered one gives nothing that stands behind what is hidden; other groups go on', async () => {
    const { queues, receive, inGroup, advance } = queued({ after: 9 })
    await queues.send('ordered', [...inGroup('g', '1', '2', '3'), ...inGroup('h', 'x')])
    expect(receive('ordered', 1)).toEqual(['1'])
    expect(receive('ordered')).toEqual(['x'])
    advance(60_000)
    expect(receive('ordered', 2)).toEqual(['1', '2'])
    expect(queues.nextAt('ordered')).toBe(60_000)
    expect(receive('ordered')).toEqual(['x'])
  })

  test('of an ordered one takes one of a kind within five minutes, even when that is gone', async () => {
    const { queues, inGroup, advance } = queued()
    await queues.send('ordered', inGroup('g', '1'))
    const [first] = queues.receive('ordered', 1)
    if (first) queues.remove('ordered', first, first.receipt)
    expect(await queues.send('ordered', inGroup('g', '1'))).toEqual([])
    expect(await queues.depth('ordered')).toBe(0)
    advance(5 * 60_000)
    await queues.send('ordered', inGroup('g', '1'))
    expect(await queues.depth('ordered')).toBe(1)
  })
})
