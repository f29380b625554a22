import { beforeEach, describe, expect, it } from 'vitest'
import { byHttp, push } from '../../test/arrivals.ts'
import { type MendWorld, mendWorld } from '../../test/mending.ts'
import { wholePass } from '../../test/sweeping.ts'
import { hours, minutes, noon } from '../../test/world.ts'
import { sendMissing } from './send.ts'
import { rememberFormer, reviewSubscribers, subscriberNames } from './subscribers.ts'

let w: MendWorld
beforeEach(() => {
  w = mendWorld()
})

const without = (...names: string[]) => ({
  ...w.deps,
  routes: w.deps.routes.filter(({ subscriber }) => !names.includes(subscriber)),
})
const named = (deps = w.deps) => reviewSubscribers('main', deps)

describe('the names of subscribers', () => {
  it('are those of the routes, where nothing else is known', async () => {
    expect(await subscriberNames('main', w.deps)).toEqual(w.deps.routes.map(({ subscriber }) => subscriber))
  })

  it('are those that were in a route before, too', async () => {
    await named()
    const left = without('analyze', 'shop')
    expect((await named(left)).slice(-2)).toEqual(['analyze', 'shop'])
    expect((await subscriberNames('main', left)).slice(-2)).toEqual(['analyze', 'shop'])
    expect(await subscriberNames('other', left)).not.toContain('analyze')
  })

  it('are written only when they change', async () => {
    await named()
    const { length } = w.calls
    await named()
    expect(w.calls.slice(length)).toEqual(['memory.get', 'memory.get'])
  })

  it('are forgotten when they left long ago and have nothing open', async () => {
    await named()
    const mark = { state: 'dead' as const, attempts: 1, started: noon, changed: noon, emitted: [] }
    await w.stores.history.mark(w.keyOf('p', 'shop'), mark)
    const left = without('analyze', 'shop')
    await named(left)
    w.advance(4 * 24 * hours)
    expect(await named(left)).toContain('analyze')
    w.advance(2 * 24 * hours)
    expect(await named(left)).not.toContain('analyze')
    expect(await named(left)).toContain('shop')
    await w.stores.history.mark(w.keyOf('p', 'shop'), { ...mark, state: 'dropped' })
    expect(await named(left)).not.toContain('shop')
  })

  it('may come back', async () => {
    await named()
    await named(without('analyze'))
    w.advance(6 * 24 * hours)
    await named()
    expect(await named(without('analyze'))).toContain('analyze')
  })

  it('keeps one that was expected and that nobody has ever known', async () => {
    await Promise.all(['x', 'y'].map((name) => rememberFormer('main', name, w.deps)))
    expect(await named()).toEqual(expect.arrayContaining(['x', 'y']))
  })
})

describe('what is dead for a subscriber that is gone', () => {
  it('is marked, counted, told of and can be found', async () => {
    await w.one(byHttp(push('p')))
    w.stores.queues.take('analyze')
    w.deps.routes = without('analyze').routes
    w.advance(16 * minutes)
    await wholePass(w)
    expect(await w.mark('p')).toMatchObject({
      state: 'dead',
      reason: expect.stringContaining('no such subscriber'),
    })
    w.advance(3 * minutes)
    const pass = await wholePass(w)
    expect(pass.open.analyze).toMatchObject({ dead: 1 })
    expect(await w.told('event.dead-lettered')).toMatchObject([{ data: { subscriber: 'analyze', count: 1 } }])
    expect(await subscriberNames('main', w.deps)).toContain('analyze')
  })

  it('is left to the sweep where names cannot be remembered', async () => {
    await w.one(byHttp(push('p')))
    const [stored] = w.events()
    if (stored === undefined) throw new Error('not recorded')
    const { memory: _, ...deps } = without('analyze')
    await sendMissing({ stored, deliveries: [] }, deps)
    expect(w.deliveries()).toEqual([])
  })
})
