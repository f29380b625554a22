import { beforeEach, describe, expect, it } from 'vitest'
import { type LaneWorld, laneWorld, nameOf } from '../../test/lanes.ts'
import { type MendWorld, mending } from '../../test/mending.ts'
import { dies, nothing } from '../../test/sweeping.ts'
import type { HandlerAny } from '../event/handler.ts'
import { redriveEvent } from './redrive-one.ts'

/** Redrives of one delivery that waits in a lane. */

let l: LaneWorld
let m: MendWorld
let order: string[]

const notes: HandlerAny = async ({ data }) => {
  order.push(nameOf({ data }))
  return []
}

function begin(): void {
  l = laneWorld()
  m = mending(l)
  order = []
}

beforeEach(begin)

async function handleAll(handler = notes) {
  for (let n = 0; n < 50 && l.waiting().length > 0; n++) await l.receive(handler)
}

describe('two redrives of one delivery in a lane', () => {
  const ofTheOther = (by: string) => redriveEvent(l.key('a1'), {}, by, l.deps)
  const died = async () => {
    begin()
    await l.declared('a1', 'a2')
    await l.receive(dies)
    await l.receive(nothing)
  }
  const outcomesOf = (answers: readonly { outcome: string }[]) => answers.map(({ outcome }) => outcome).sort()

  it('at once: one of them sends', async () => {
    await died()
    const both = await Promise.all([ofTheOther('user:ann'), ofTheOther('user:bob')])
    expect(outcomesOf(both.flat())).toEqual(['already', 'sent'])
    expect(l.waiting()).toHaveLength(2)
    await handleAll()
    expect(order).toEqual(['a1', 'a2'])
  })

  it('wherever the one comes between what the other does: one of them sends', async () => {
    const calls = ['lane', 'waiting', 'release'] as const
    let reached = 0
    for (const call of calls)
      for (let at = 1; at <= 5; at++)
        for (const handled of [false, true]) {
          await died()
          let [seen, other]: [number, string[]] = [0, []]
          l.instead('lanes', call, (real) => async (...args: unknown[]) => {
            if (++seen === at) {
              reached++
              other = outcomesOf(await ofTheOther('user:bob'))
              if (handled) await l.receive(notes, 1)
            }
            return (real as (...args: unknown[]) => Promise<never>)(...args)
          })
          const own = outcomesOf(await ofTheOther('user:ann'))
          l.mend()
          const wanted = other.length > 0 ? ['already', 'sent'] : ['sent']
          expect([call, at, handled, [...own, ...other].sort()]).toEqual([call, at, handled, wanted])
          await handleAll()
          expect(order).toEqual(['a1', 'a2'])
        }
    expect(reached).toBeGreaterThan(6)
  })
})

describe('a redrive of what is not the first in its lane', () => {
  it('sends nothing else where something before it is dead too', async () => {
    l.control({ mayRun: async () => ({ run: false, reason: 'paused' }), report: async () => undefined })
    await l.declared('a1', 'a2', 'a3')
    await l.receive(nothing)
    l.control({ mayRun: async () => ({ run: true }), report: async () => undefined })
    for (const name of ['a2', 'a3']) {
      const times = { started: l.clock(), changed: l.clock() }
      const delivery = { state: 'dead' as const, attempts: 3, ...times, emitted: [], reason: 'why' }
      const sequence = Number(name.slice(1))
      const waiting = { key: l.key(name), delivery, sequence, seen: await l.mark(name) }
      expect(await l.stores.lanes.wait(l.lane(), waiting, 'closing')).toBe('waits')
    }
    expect(await redriveEvent(l.key('a3'), {}, 'user:ann', l.deps)).toMatchObject([
      { outcome: 'blocked', detail: expect.stringContaining(l.key('a2').id) },
    ])
    expect([l.waiting(), await m.told('event.redriven')]).toEqual([[], []])
  })
})

describe('what is told of a redrive in a lane', () => {
  it('is kept though another transaction was in the way', async () => {
    await l.declared('a1')
    await l.receive(dies)
    const real = l.stores.memory.commit
    let refusals = 2
    l.instead(
      'memory',
      'commit',
      () => async (change) => (refusals-- > 0 ? 'version conflict' : real(change)),
    )
    expect(await redriveEvent(l.key('a1'), {}, 'user:ann', l.deps)).toMatchObject([{ outcome: 'sent' }])
    expect(await m.told('event.redriven')).toHaveLength(1)
  })

  it('is nothing where nothing was sent', async () => {
    await l.declared('a1')
    await l.receive(dies)
    l.instead('history', 'getEvents', () => async (identities) => identities.map(() => undefined))
    expect(await redriveEvent(l.key('a1'), {}, 'user:ann', l.deps)).toMatchObject([{ outcome: 'blocked' }])
    l.mend()
    expect(await m.told('event.redriven')).toEqual([])
    expect(await redriveEvent(l.key('a1'), {}, 'user:ann', l.deps)).toMatchObject([{ outcome: 'sent' }])
    expect(await m.told('event.redriven')).toHaveLength(1)
  })
})
