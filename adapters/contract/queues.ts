import { expect, test } from 'vitest'
import type { Queues } from '../../core/ports.ts'
import { noise } from './samples.ts'

export type QueuesFixture = {
  queues: Queues
  /** makes an empty queue and answers its name */
  fresh(): Promise<string>
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
}
