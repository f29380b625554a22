import { beforeEach, describe, expect, it } from 'vitest'
import { byHttp, push } from '../../test/arrivals.ts'
import { nothing, swept, taken, unsent } from '../../test/sweeping.ts'
import { hours, minutes, type World, world } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import { sweepTimeline } from '../sweep/sweep-timeline.ts'

let w: World
beforeEach(async () => {
  w = world()
  // a first pass says where the timeline begins
  await swept(w)
})

describe('the cursor', () => {
  it('resumes where the last pass ended, over hours and days', async () => {
    for (const [id, pause] of [
      ['a', 5 * hours],
      ['b', 30 * hours],
      ['c', 20 * minutes],
    ] as const) {
      await unsent(w, id)
      w.advance(pause)
      expect(await swept(w)).toMatchObject({ resent: 2, pages: 1 })
      expect(taken(w, 'analyze')).toEqual([id])
      taken(w, 'validate')
    }
  })

  it('is one per project', async () => {
    await unsent(w, 'a')
    w.advance(16 * minutes)
    expect(await sweepTimeline('shop', w.deps, 40)).toMatchObject({ resent: 0 })
    expect(await swept(w)).toMatchObject({ resent: 2 })
  })

  it('begins a day back where nobody swept before', async () => {
    const fresh = world()
    await unsent(fresh, 'too old')
    fresh.advance(25 * hours)
    await unsent(fresh, 'yesterday')
    fresh.advance(16 * minutes)
    await swept(fresh)
    expect(taken(fresh, 'analyze')).toEqual(['yesterday'])
  })
})

describe('one pass is bounded', () => {
  it('to 500 sends or somewhat more, and goes on with the rest in the next pass', async () => {
    const ids = Array.from({ length: 640 }, (_, n) => `p${n}`)
    w.failing('queues', 'send')
    for (let from = 0; from < ids.length; from += 50)
      await w.record(...ids.slice(from, from + 50).map((id) => byHttp(push(id))))
    w.mend()
    w.advance(16 * minutes)
    const first = await swept(w)
    expect(first.resent).toBeGreaterThanOrEqual(500)
    expect(first.resent).toBeLessThan(1000)
    let passes = 1
    const seen = new Set([...taken(w, 'analyze'), ...taken(w, 'validate').map((id) => `v ${id}`)])
    for (; seen.size < 1280 && passes < 10; passes++) {
      w.advance(minutes)
      await swept(w)
      for (const id of [...taken(w, 'analyze'), ...taken(w, 'validate').map((one) => `v ${one}`)])
        seen.add(id)
    }
    expect(seen.size).toBe(1280)
  })

  it('also where it goes back for those that were behind: the rest of them stays behind', async () => {
    w.failing('queues', 'send')
    for (let from = 0; from < 300; from += 50)
      await w.record(...Array.from({ length: 50 }, (_, n) => byHttp(push(`p${from + n}`))))
    w.mend()
    for (const name of ['analyze', 'validate']) await w.stores.queues.send(name, ['a backlog'])
    w.advance(16 * minutes)
    expect(await swept(w)).toMatchObject({ resent: 0, behind: 2 })
    for (const name of ['analyze', 'validate']) w.stores.queues.take(name)
    w.advance(minutes)
    expect(await swept(w)).toMatchObject({ resent: 500, behind: 1 })
    for (const name of ['analyze', 'validate']) await w.handle(name, nothing)
    w.advance(minutes)
    expect(await swept(w)).toMatchObject({ resent: 100, behind: 0 })
  })

  it('in time: no page is begun after it, and the next pass goes on where this one stopped', async () => {
    for (let n = 0; n < 230; n++) await w.one(byHttp(push(`p${n}`)))
    for (const name of ['analyze', 'validate']) await w.handle(name, nothing)
    w.advance(16 * minutes)
    w.instead('history', 'fate', (real) => (identity) => {
      w.advance(1000)
      return real(identity)
    })
    const first = await swept(w)
    expect(first.pages).toBeGreaterThan(30)
    expect(first.pages).toBeLessThan(60)
    expect(first.lagMinutes).toBe(1)
    w.mend()
    expect(await swept(w)).toMatchObject({ resent: 0, behind: 0, pages: 230 - first.pages, lagMinutes: 0 })
  })

  it('also over hours in which nothing happened: each of them is left behind for good', async () => {
    await swept(w)
    w.advance(31 * 24 * 60 * minutes)
    let asked = 0
    w.instead('history', 'pages', (real) => (query) => {
      asked++
      w.advance(1000)
      return real(query)
    })
    await swept(w)
    expect(asked).toBeLessThan(60)
    w.mend()
    expect(await swept(w)).toMatchObject({ pages: 0 })
  })
})

describe('what is stored and cannot be parsed', () => {
  const unreadable = (id: string) =>
    w.instead('history', 'fate', (real) => async (identity, read) => {
      if (identity.id === id) throw new Failure('NewerVersion', 'cannot be read')
      return real(identity, read)
    })

  it('is left out and counted: its page and the timeline go on', async () => {
    w.failing('queues', 'send')
    await w.record(...['a', 'odd', 'b'].map((id) => byHttp(push(id))))
    w.mend()
    w.advance(16 * minutes)
    unreadable('odd')
    expect(await swept(w)).toMatchObject({ resent: 4, unreadable: 1, lagMinutes: 0 })
    expect(taken(w, 'analyze').sort()).toEqual(['a', 'b'])
    w.advance(minutes)
    expect(await swept(w)).toMatchObject({ unreadable: 0 })
  })

  it('may be a whole page', async () => {
    await unsent(w, 'a')
    w.advance(16 * minutes)
    w.instead(
      'history',
      'pages',
      (real) => async (query) =>
        (await real(query)).map((page) => ({ ...page, entries: [], unreadable: true })),
    )
    expect(await swept(w)).toMatchObject({ pages: 1, unreadable: 1, lagMinutes: 0 })
  })
})

describe('a pass tells', () => {
  it('how many deliveries are missing, sent again or waited for; what is being retried is not', async () => {
    await unsent(w, 'a', 'b')
    await w.one(byHttp(push('c')))
    w.stores.queues.take('validate')
    await w.handle('analyze', async () => Promise.reject(new Error('not now')))
    await w.stores.queues.send('analyze', ['c, hidden until the next attempt'])
    w.advance(16 * minutes)
    expect(await swept(w)).toMatchObject({ missing: 5, resent: 3, behind: 1 })
  })

  it('how far it is behind, in minutes', async () => {
    w.advance(10 * hours)
    w.instead('history', 'pages', (real) => async (query) => {
      w.advance(5_000)
      return real(query)
    })
    const { lagMinutes } = await swept(w)
    expect(lagMinutes).toBeGreaterThan(8 * 60)
    expect(lagMinutes).toBeLessThan(10 * 60)
  })

  it('and reads fates at half the price: after 15 minutes all reads agree', async () => {
    await unsent(w, 'a')
    w.advance(16 * minutes)
    const reads: unknown[] = []
    w.instead('history', 'fate', (real) => (identity, read) => {
      reads.push(read)
      return real(identity, read)
    })
    await swept(w)
    expect(reads).toEqual([{ consistent: false }])
  })
})
