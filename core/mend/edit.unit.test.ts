import { beforeEach, describe, expect, it } from 'vitest'
import { githubPush } from '../../events/github.push.ts'
import { byHttp, push } from '../../test/arrivals.ts'
import { laneWorld } from '../../test/lanes.ts'
import { failing, type MendWorld, mendWorld } from '../../test/mending.ts'
import { dies, nothing } from '../../test/sweeping.ts'
import { Failure } from '../errors.ts'
import { readMessage } from '../event/arrival.ts'
import type { HandlerAny } from '../event/handler.ts'
import { dropDelivery } from './drop.ts'
import { editDelivery } from './edit.ts'
import { deliveriesOf } from './open-delivery.ts'
import { redriveEvent } from './redrive-one.ts'

let w: MendWorld
beforeEach(async () => {
  w = mendWorld()
  await w.died(['p'])
})

const mended = { ...githubPush.example, ref: 'refs/heads/mended' }
const edit = async (data: unknown = mended, by = 'user:ann', subscriber = 'analyze') =>
  editDelivery(await w.find('p', subscriber), data, by, w.deps)

async function failureOf(action: Promise<unknown>): Promise<Failure> {
  const error = await action.catch((thrown: unknown) => thrown)
  if (!(error instanceof Failure)) throw new Error(`no failure: ${String(error)}`)
  return error
}

describe('an event that was edited', () => {
  it('is named to who drops it or sends it again too late, whether they saw it dead or not', async () => {
    const seen = await w.find('p')
    const { replacement } = await edit()
    const late = { state: 'dropped', outcome: 'already', detail: expect.stringContaining(replacement) }
    expect(await redriveEvent(w.keyOf('p'), {}, 'user:bob', w.deps)).toMatchObject([late])
    expect(await dropDelivery(seen, { by: 'user:bob' }, w.deps)).toMatchObject(late)
    expect(await dropDelivery(await w.find('p'), { by: 'user:bob' }, w.deps)).toMatchObject(late)
  })

  it('is handled as mended, by the subscriber that failed and by no other', async () => {
    const { outcome, replacement, changes } = await edit()
    expect(outcome).toBe('edited')
    expect(changes).toEqual([{ path: '/ref', before: 'refs/heads/master', after: 'refs/heads/mended' }])
    await w.relayAll()
    const seen: unknown[] = []
    const sees: HandlerAny = async ({ data, event }) => {
      seen.push([event.id, data])
      return []
    }
    expect(await w.handle('analyze', sees)).toMatchObject([{ outcome: 'done' }])
    expect(seen).toMatchObject([[replacement, { ref: 'refs/heads/mended' }]])
    expect(w.taken('validate')).toEqual([])
    expect(await w.mark('p')).toMatchObject({ state: 'dropped', reason: `superseded by ${replacement}` })
  })

  it('is a new event of the same source and story, caused by the one it was', async () => {
    const { replacement } = await edit()
    await w.relayAll()
    const [was, is] = ['p', replacement].map((id) => w.events().find(({ event }) => event.id === id))
    expect(is).toMatchObject({
      expects: ['analyze'],
      event: {
        source: was?.event.source,
        type: 'github.push',
        partitionkey: was?.event.partitionkey,
        correlationid: was?.event.correlationid,
        hops: was?.event.hops,
        causationid: 'p',
        cause: { source: was?.event.source, id: 'p', by: 'edit' },
        door: 'edit',
        actor: 'user:ann',
        data: mended,
      },
    })
    expect(was?.event.data).toEqual(githubPush.example)
  })

  it('of one that was released from quarantine was not released itself', async () => {
    const released = { digest: 'd', by: 'user:bob', at: w.clock() }
    await w.one(byHttp(push('q'), { received: w.clock(), released }))
    await w.handle('analyze', failing('no such branch'))
    const { replacement } = await editDelivery(await w.find('q'), mended, 'user:ann', w.deps)
    await w.relayAll()
    const [was, is] = ['q', replacement].map((id) => w.events().find(({ event }) => event.id === id))
    expect([was?.event.released, is?.event.released]).toEqual([released, undefined])
    expect(is?.event.door).toBe('edit')
  })

  it('is told of: who, what was changed, what takes its place', async () => {
    const { replacement, changes } = await edit()
    expect(await w.told('delivery.edited')).toEqual([
      {
        actor: 'user:ann',
        data: {
          subscriber: 'analyze',
          replay: '',
          event: { source: 'https://github.com/octo/hello', id: 'p', type: 'github.push' },
          replacement,
          changes,
        },
      },
    ])
  })

  it('is known the second time, and another edit comes too late', async () => {
    const { replacement } = await edit()
    expect(await edit(mended, 'user:bob')).toMatchObject({ outcome: 'already', replacement })
    const other = await failureOf(edit({ ...mended, ref: 'refs/heads/other' }))
    expect(other.message).toContain(`already superseded by ${replacement}`)
    await w.relayAll()
    expect(w.taken('analyze')).toEqual([replacement])
    expect(await w.told('delivery.edited')).toHaveLength(1)
  })

  it('is edited by one of two who do so at once', async () => {
    const found = await w.find('p')
    const other = { ...mended, ref: 'refs/heads/other' }
    const both = await Promise.allSettled([
      editDelivery(found, mended, 'user:ann', w.deps),
      editDelivery(found, other, 'user:bob', w.deps),
      editDelivery(found, mended, 'user:eve', w.deps),
    ])
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    await w.relayAll()
    expect(w.taken('analyze')).toHaveLength(1)
  })

  it('may die, and be edited again', async () => {
    const first = await edit()
    await w.relayAll()
    await w.handle('analyze', failing('still'))
    const [found] = [await w.find(first.replacement)]
    const second = await editDelivery(found, { ...mended, ref: 'refs/heads/again' }, 'user:ann', w.deps)
    await w.relayAll()
    expect(await w.handle('analyze', nothing)).toMatchObject([
      { outcome: 'done', key: { id: second.replacement } },
    ])
  })

  it('is another one for each subscriber that failed', async () => {
    const dead = { state: 'dead' as const, attempts: 1, started: w.clock(), changed: w.clock(), emitted: [] }
    await w.stores.history.mark(w.keyOf('p', 'validate'), dead)
    const ids = [(await edit()).replacement, (await edit(mended, 'user:ann', 'validate')).replacement]
    await w.relayAll()
    expect([w.taken('analyze'), w.taken('validate')]).toEqual([[ids[0]], [ids[1]]])
  })

  it('may be large: its body lies in the bucket then, as ever', async () => {
    const message = 'm'.repeat(100_000)
    const [commit] = githubPush.example.commits
    const { replacement } = await edit({ ...mended, commits: [{ ...commit, message }] })
    await w.relayAll()
    const stored = w.events().find(({ event }) => event.id === replacement)
    expect(stored?.event.dataref).toBeDefined()
    const lengths: number[] = []
    await w.handle('analyze', async ({ data }) => {
      lengths.push(JSON.stringify(data).length)
      return []
    })
    expect(lengths[0]).toBeGreaterThan(100_000)
  })

  it('is of an unknown type as well', async () => {
    await w.one(byHttp(push('shop-1', { type: 'acme.ordered', data: { n: 1 } })))
    await w.handle('shop', failing('n is too small'))
    const found = await w.find('shop-1', 'shop')
    const { replacement } = await editDelivery(found, { n: 2 }, 'user:ann', w.deps)
    await w.relayAll()
    expect(w.events().find(({ event }) => event.id === replacement)?.event).toMatchObject({
      unknown: true,
      data: { n: 2 },
    })
  })
})

describe('an edit that is refused', () => {
  it('says what does not fit, and changes nothing', async () => {
    const { code, faults } = await failureOf(edit({ ...mended, ref: 7, repository: undefined }))
    expect(code).toBe('Invalid')
    expect(faults).toMatchObject([{ path: 'data.ref' }, { path: 'data.repository' }])
    expect(await w.mark('p')).toMatchObject({ state: 'dead' })
    expect(w.stores.memory.all().outbox).toEqual([])
  })

  it.each([
    ['nothing is changed', githubPush.example, /nothing was changed/],
    ['it is too deep', [...Array(300)].reduce<unknown>((inner) => ({ inner }), 1), /no data/],
    ['a character is broken', { ...mended, ref: '\ud800' }, /no data/],
    ['it is too large', { ...mended, after: 'r'.repeat(390_000) }, /at most 380000/],
  ])('%s', async (_, data, message) => {
    expect((await failureOf(edit(data))).message).toMatch(message)
    expect(await w.mark('p')).toMatchObject({ state: 'dead' })
  })

  it('has no data', async () => {
    const nothingAtAll = editDelivery(await w.find('p'), undefined, 'user:ann', w.deps)
    expect((await failureOf(nothingAtAll)).message).toContain('no data')
  })

  it('is of a delivery that is not dead', async () => {
    await redriveEvent(w.keyOf('p'), {}, 'user:ann', w.deps)
    expect((await failureOf(edit())).message).toContain('it is retrying')
  })

  it.each(['outbox', 'states'] as const)('is of what was decided here (%s)', async (door) => {
    const found = await w.find('p')
    const stored = found.stored && { ...found.stored, event: { ...found.stored.event, door } }
    const refused = await failureOf(editDelivery({ ...found, stored }, mended, 'user:ann', w.deps))
    expect([refused.code, refused.message]).toEqual(['Conflict', expect.stringContaining('decided')])
    expect(await w.mark('p')).toMatchObject({ state: 'dead' })
  })

  it('is of anything that has a place in a lane: no lane has to know of edits', async () => {
    const l = laneWorld()
    await l.declared('a1')
    await l.receive(dies)
    const [found] = await deliveriesOf(l.key('a1'), {}, l.stores.history)
    if (found === undefined) return expect.fail('a delivery')
    const data = { ...Object(found.stored?.event.data), deployBranch: 'mended' }
    expect((await failureOf(editDelivery(found, data, 'user:ann', l.deps))).code).toBe('Conflict')
  })

  it('is of a replay, which runs what was recorded', async () => {
    const key = { ...w.keyOf('p'), replay: 'r1' }
    const dead = { state: 'dead' as const, attempts: 1, started: w.clock(), changed: w.clock(), emitted: [] }
    await w.stores.history.mark(key, dead)
    const found = { ...(await w.find('p')), key, delivery: dead }
    expect((await failureOf(editDelivery(found, mended, 'user:ann', w.deps))).message).toContain('replay r1')
  })

  it('is for a subscriber that would not get it', async () => {
    const routes = w.deps.routes.filter(({ subscriber }) => subscriber !== 'analyze')
    const gone = editDelivery(await w.find('p'), mended, 'user:ann', { ...w.deps, routes })
    expect((await failureOf(gone)).message).toContain('in no route any more')
    const picky = w.deps.routes.map((route) =>
      route.subscriber === 'analyze'
        ? { ...route, when: [{ type: 'github.push', matches: () => false }] }
        : route,
    )
    const other = editDelivery(await w.find('p'), mended, 'user:ann', { ...w.deps, routes: picky })
    expect((await failureOf(other)).message).toContain('would not get the event')
  })

  it('is no edit of somebody else’s making: the gate knows its id', async () => {
    await edit()
    const [item] = w.stores.memory.all().outbox.filter(({ partitionkey }) => partitionkey.startsWith('edit/'))
    const frame = JSON.parse(JSON.stringify(item?.frame))
    for (const forged of [
      { ...frame, event: { ...frame.event, id: 'mine' } },
      { ...frame, event: { ...frame.event, data: { ...mended, ref: 'refs/heads/forged' } } },
      { ...frame, expects: ['validate'] },
      { ...frame, event: { ...frame.event, source: 'https://github.com/octo/other' } },
    ]) {
      const outcome = await w.one(readMessage(JSON.stringify(forged), w.clock(), {}))
      expect(outcome).toMatchObject({ status: 'quarantined', reason: 'forged' })
    }
  })
})

describe('what goes wrong', () => {
  it('leaves the delivery dead when nothing could be committed', async () => {
    w.failing('memory', 'commit')
    await expect(edit()).rejects.toThrow('down')
    w.mend()
    expect(await w.mark('p')).toMatchObject({ state: 'dead' })
    expect(await edit()).toMatchObject({ outcome: 'edited' })
  })

  it('records the new event once, however often it is sent', async () => {
    await edit()
    const { outbox } = w.stores.memory.all()
    w.failing('memory', 'removeFromOutbox')
    await w.relayAll()
    w.mend()
    expect(w.stores.memory.all().outbox).toEqual(outbox)
    await w.relayAll()
    expect(w.events().filter(({ event }) => event.door === 'edit')).toHaveLength(1)
  })
})
