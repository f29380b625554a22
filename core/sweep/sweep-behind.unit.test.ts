import { beforeEach, describe, expect, it } from 'vitest'
import { byHttp, push } from '../../test/arrivals.ts'
import { swept } from '../../test/sweeping.ts'
import { hours, minutes, routeOf, type World, world } from '../../test/world.ts'

/** What lies on a queue, by event: taken off. */
const taken = (w: World, subscriber: string): string[] =>
  w.stores.queues
    .take(subscriber)
    .flatMap((body) => (body === 'a backlog' ? [] : [JSON.parse(body).event.id]))

/** Sent to nobody, as by a crash after the events were written; 50 to a page. */
async function unsent(w: World, ...ids: string[]): Promise<void> {
  w.failing('queues', 'send')
  for (let from = 0; from < ids.length; from += 50)
    await w.record(...ids.slice(from, from + 50).map((id) => byHttp(push(id), { received: w.clock() })))
  w.mend()
}

const backlog = (w: World, subscriber: string) => w.stores.queues.send(subscriber, ['a backlog'])
const kept = 96 * hours

let w: World
beforeEach(async () => {
  w = world()
  // a first pass says where the timeline begins
  await swept(w)
})

describe('going back reaches the page on which the cursor stands', () => {
  it('where the pass that met it stopped at the send limit: all reach both in the end', async () => {
    const ids = Array.from({ length: 800 }, (_, n) => `p${n}`)
    await unsent(w, ...ids)
    await backlog(w, 'validate')
    w.advance(16 * minutes)
    expect((await swept(w)).resent).toBeLessThan(800)
    const seen = { analyze: new Set<string>(), validate: new Set<string>() }
    for (let passes = 0; passes < 10; passes++) {
      for (const name of ['analyze', 'validate'] as const) for (const id of taken(w, name)) seen[name].add(id)
      w.advance(minutes)
      await swept(w)
    }
    expect([seen.analyze.size, seen.validate.size]).toEqual([800, 800])
  })

  it('where the pass that met it ran out of time with it', async () => {
    w.deps.routes = [routeOf('analyze')]
    const ids = Array.from({ length: 12 }, (_, n) => `p${n}`)
    for (const id of ids) await unsent(w, id)
    await backlog(w, 'analyze')
    w.advance(16 * minutes)
    w.instead('history', 'fate', (real) => async (...asked) => {
      w.advance(minutes)
      return real(...asked)
    })
    const first = await swept(w)
    expect(first.behind).toBe(1)
    expect(first.pages).toBeLessThan(12)
    w.mend()
    taken(w, 'analyze')
    expect(await swept(w)).toMatchObject({ resent: 12, behind: 0 })
    expect(taken(w, 'analyze').sort()).toEqual(ids.sort())
  })
})

describe('behind a queue that is never seen empty', () => {
  beforeEach(async () => {
    w.deps.routes = [routeOf('analyze')]
    await backlog(w, 'analyze')
  })

  it('what was lost is sent once its queue cannot hold it any more, and not before', async () => {
    await unsent(w, 'lost')
    w.advance(16 * minutes)
    expect(await swept(w)).toMatchObject({ behind: 1 })
    w.advance(kept - 17 * minutes)
    expect(await swept(w)).toMatchObject({ resent: 0, behind: 1 })
    w.advance(2 * minutes)
    expect(await swept(w)).toMatchObject({ resent: 1 })
    expect(taken(w, 'analyze')).toEqual(['lost'])
  })

  it('is walked on as time passes, each page once, and what came later waits for its own time', async () => {
    for (const id of ['a', 'b', 'c']) {
      await unsent(w, id)
      w.advance(hours)
      await swept(w)
    }
    w.advance(kept - 3 * hours + minutes)
    const resent: number[] = []
    const pages: number[] = []
    for (let passes = 0; passes < 3; passes++) {
      for (let times = 0; times < 3; times++) {
        await backlog(w, 'analyze')
        const pass = await swept(w)
        resent.push(pass.resent)
        pages.push(pass.pages)
        w.advance(20 * minutes)
      }
    }
    expect(resent).toEqual([1, 0, 0, 1, 0, 0, 1, 0, 0])
    expect(pages).toEqual(resent)
    expect(taken(w, 'analyze')).toEqual(['a', 'b', 'c'])
  })

  it('costs no read of the timeline until then', async () => {
    await unsent(w, 'lost')
    w.advance(16 * minutes)
    await swept(w)
    w.advance(minutes)
    const before = w.calls.length
    expect(await swept(w)).toMatchObject({ behind: 1 })
    expect(w.calls.slice(before).filter((call) => call === 'history.pages')).toHaveLength(4)
  })

  it('neither goes back in a shard that is further on, nor overtakes the cursor', async () => {
    const at = (day: number) => new Date(Date.parse(w.clock()) + day * 24 * hours).toISOString()
    const key = { project: 'main', kind: 'cursor', name: 'sweep' }
    const four = (one: string) => [one, one, one, one]
    const before = { read: four(at(2)), behind: { analyze: [at(0), at(2), at(0), at(2)] } }
    await w.stores.memory.commit({ writes: [{ ...key, version: 2, value: before }], outbox: [] })
    w.advance(5 * 24 * hours)
    await swept(w)
    const kept = new Date(Date.parse(w.clock()) - 96 * hours).toISOString()
    const value = (await w.stores.memory.get(key))?.value
    expect(value).toMatchObject({ behind: { analyze: [`${kept}~`, at(-3), `${kept}~`, at(-3)] } })

    const late = { read: four(at(-3)), behind: { analyze: four(at(-4)) } }
    await w.stores.memory.commit({ writes: [{ ...key, version: 4, value: late }], outbox: [] })
    await unsent(w, 'lost')
    w.advance(9 * 24 * hours)
    await swept(w)
    expect(taken(w, 'analyze')).toEqual(['lost'])
  })

  it('what could not be sent then is gone back to', async () => {
    await unsent(w, 'lost')
    w.advance(16 * minutes)
    await swept(w)
    w.advance(kept)
    w.failing('queues', 'send')
    expect(await swept(w)).toMatchObject({ resent: 0, behind: 1 })
    w.mend()
    w.advance(minutes)
    expect(await swept(w)).toMatchObject({ resent: 1 })
  })

  it('and once it is empty all of what is behind is sent, however old', async () => {
    await unsent(w, 'old')
    w.advance(48 * hours)
    await unsent(w, 'newer')
    w.advance(16 * minutes)
    await swept(w)
    w.stores.queues.take('analyze')
    w.advance(minutes)
    expect(await swept(w)).toMatchObject({ resent: 2, behind: 0 })
  })
})
