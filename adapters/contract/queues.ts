import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { OrderedMessage, Queues } from '../../core/ports.ts'
import { noise } from './samples.ts'

export type QueuesFixture = {
  queues: Queues
  /** makes an empty queue and answers its name */
  fresh(): Promise<string>
  /** the same, of one that keeps order */
  freshOrdered(): Promise<string>
  /** takes everything off a queue */
  drain(queue: string): Promise<string[]>
}

/** What every Queues promises. */
export function queuesContract(make: () => QueuesFixture): void {
  test('every body arrives as it was sent, however many calls it takes', async () => {
    const { queues, fresh, drain } = make()
    const queue = await fresh()
    const bodies = Array.from({ length: 23 }, (_, n) => JSON.stringify({ n, text: 'ü 🦊 <&>"' }))
    expect(await queues.send(queue, bodies)).toEqual([])
    expect(await queues.depth(queue)).toBe(23)
    expect((await drain(queue)).toSorted()).toEqual(bodies.toSorted())
    expect(await queues.depth(queue)).toBe(0)
  })

  test('ten of 190 KB in one sending, and one of nearly a megabyte', async () => {
    const { queues, fresh, drain } = make()
    const queue = await fresh()
    const bodies = [...Array.from({ length: 10 }, () => noise(190_000)), noise(1_000_000)]
    expect(await queues.send(queue, bodies)).toEqual([])
    expect((await drain(queue)).toSorted()).toEqual(bodies.toSorted())
  })

  test('nothing to send is nothing sent', async () => {
    const { queues, fresh } = make()
    const queue = await fresh()
    expect(await queues.send(queue, [])).toEqual([])
    expect(await queues.depth(queue)).toBe(0)
  })

  describe('an ordered queue', () => {
    const message = (group: string, n: number): OrderedMessage => ({
      body: `${group} ${n}`,
      group,
      dedupe: `${group}-${n}-${randomUUID()}`,
    })

    test('hands over each group as it was sent, however many calls it takes', async () => {
      const { queues, freshOrdered, drain } = make()
      const queue = await freshOrdered()
      const numbers = Array.from({ length: 13 }, (_, n) => n)
      const sent = numbers.flatMap((n) => ['a', 'b', `c${n}`].map((group) => message(group, n)))
      expect(await queues.send(queue, sent)).toEqual([])
      expect(await queues.depth(queue)).toBe(39)
      const bodies = await drain(queue)
      for (const group of ['a', 'b'])
        expect(bodies.filter((body) => body.startsWith(`${group} `))).toEqual(
          numbers.map((n) => `${group} ${n}`),
        )
      expect(bodies).toHaveLength(39)
      expect(await queues.depth(queue)).toBe(0)
    })

    test('takes one of each deduplication id, in one sending and over several, even when it is gone', async () => {
      const { queues, freshOrdered, drain } = make()
      const queue = await freshOrdered()
      const [one, two] = [message('a', 1), message('a', 2)]
      const body = 'the same, with another text'
      expect(await queues.send(queue, [one, { ...one, body }, two])).toEqual([])
      expect(await drain(queue)).toEqual([one.body, two.body])
      expect(await queues.send(queue, [two, { ...one, body }, message('a', 3)])).toEqual([])
      expect(await drain(queue)).toEqual(['a 3'])
    })

    test('sends nothing of a group after the first that fails, and all of the others', async () => {
      const { queues, freshOrdered, drain } = make()
      const queue = await freshOrdered()
      const tooLarge = { ...message('a', 2), body: 'x'.repeat(1_100_000) }
      const sent = [
        message('a', 1),
        message('b', 1),
        tooLarge,
        message('a', 3),
        message('b', 2),
        message('a', 4),
      ]
      const failures = await queues.send(queue, sent)
      expect(failures.map(({ index }) => index)).toEqual([2, 3, 5])
      expect(String(failures[1]?.error)).toContain('earlier message of group a')
      expect((await drain(queue)).toSorted()).toEqual(['a 1', 'b 1', 'b 2'])
    })

    test('and a plain one take no messages of the other kind, nor groups that SQS would refuse', async () => {
      const { queues, fresh, freshOrdered } = make()
      const [plain, ordered] = [await fresh(), await freshOrdered()]
      await expect(queues.send(ordered, [message('a', 1), 'text'])).rejects.toThrow(`${ordered} is ordered`)
      await expect(queues.send(plain, ['text', message('a', 1)])).rejects.toThrow(`${plain} is not ordered`)
      for (const bad of [{ group: '' }, { group: 'a b' }, { dedupe: 'ü' }, { dedupe: 'x'.repeat(129) }])
        await expect(queues.send(ordered, [{ ...message('a', 1), ...bad }])).rejects.toThrow(
          'expected 1 to 128',
        )
      expect([await queues.depth(plain), await queues.depth(ordered)]).toEqual([0, 0])
    })
  })
}
