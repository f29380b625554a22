import { beforeEach, expect, it } from 'vitest'
import { byHttp, push, told } from '../../test/arrivals.ts'
import { nothing, swept, unsent, wholePass } from '../../test/sweeping.ts'
import { minutes, noon, type World, world } from '../../test/world.ts'
import { sweep } from './sweep.ts'
import { logSweep, sweepState } from './sweep-log.ts'

let w: World
beforeEach(() => {
  w = world()
})

const state = () => sweepState('main', w.deps)
const record = () => w.stores.memory.get({ project: 'main', kind: 'cursor', name: 'sweep-log' })
const named = (id: string) => ({ project: 'main', source: 's', id, subscriber: 'analyze', replay: '' })
const nothingDone = { sent: [], relayed: 0, ended: 0, expired: 0, restarted: 0 }

it('is empty until the sweep has run, and then says how far it is', async () => {
  expect(await state()).toEqual({
    behind: {},
    passes: 0,
    since: undefined,
    lastPass: undefined,
    did: undefined,
    unrelayed: 0,
  })
  await wholePass(w)
  w.advance(5 * minutes)
  await wholePass(w)
  w.advance(2 * minutes)
  expect(await state()).toEqual({
    read: '2026-01-01T11:50:00.000Z',
    lagMinutes: 2,
    behind: {},
    passes: 2,
    since: noon,
    lastPass: '2026-01-01T12:05:00.000Z',
    did: undefined,
    unrelayed: 0,
  })
})

it('says whom it waits for, and from where on', async () => {
  await swept(w)
  await unsent(w, 'a')
  await w.stores.queues.send('analyze', ['a backlog'])
  w.advance(16 * minutes)
  await wholePass(w)
  expect((await state()).behind).toEqual({ analyze: noon })
})

it('counts the keys whose events wait in the outbox for longer than the stream takes', async () => {
  const items = ['k', 'k', 'l'].map((partitionkey, index) => {
    const frame = told({}, { partitionkey })
    return { project: 'main', partitionkey, sequence: 3, index, frame }
  })
  await w.stores.memory.commit({ writes: [], outbox: items })
  w.advance(2 * minutes)
  expect((await state()).unrelayed).toBe(0)
  w.advance(1)
  expect((await state()).unrelayed).toBe(2)
  await wholePass(w)
  expect((await state()).unrelayed).toBe(0)
})

it('names what was sent again, and counts what was done', async () => {
  await swept(w)
  await unsent(w, 'a')
  const item = { project: 'main', partitionkey: 'k', sequence: 3, index: 0 }
  await w.stores.memory.commit({ writes: [], outbox: [{ ...item, frame: told({}, { partitionkey: 'k' }) }] })
  w.advance(16 * minutes)
  await wholePass(w)
  const at = w.clock()
  expect((await state()).did).toMatchObject({
    since: at,
    at,
    resent: 2,
    relayed: 1,
    ended: 0,
    expired: 0,
    last: [
      { id: 'a', subscriber: 'validate', at },
      { id: 'a', subscriber: 'analyze', at },
    ],
  })
})

it('is written only by a pass that did something', async () => {
  for (let passes = 0; passes < 3; passes++) {
    w.advance(minutes)
    await wholePass(w)
  }
  expect(await record()).toBeUndefined()
  const before = w.calls.length
  await logSweep('main', nothingDone, w.deps)
  expect(w.calls.length).toBe(before)
})

it('counts what stood still and was got going', async () => {
  await w.one(byHttp(push('a')))
  await w.handle('validate', nothing)
  await w.handle('analyze', async () => Promise.reject(new Error('not now')))
  w.stores.queues.take('analyze')
  await swept(w)
  w.advance(16 * minutes)
  w.failing('history', 'pages')
  const { swept: found } = await sweep('main', w.deps, 40)
  w.mend()
  expect(found.stuck).toMatchObject({ resent: 1 })
  expect((await state()).did).toMatchObject({ resent: 0, restarted: 1 })
})

it('keeps the last hundred names, the newest first, and counts them all', async () => {
  const ids = (from: number, count: number) => Array.from({ length: count }, (_, n) => named(`p${from + n}`))
  await logSweep('main', { ...nothingDone, sent: ids(0, 70) }, w.deps)
  w.advance(minutes)
  await logSweep('main', { ...nothingDone, sent: ids(70, 150) }, w.deps)
  const { did } = await state()
  expect([did?.resent, did?.last.length, did?.last[0]?.id, did?.last.at(-1)?.id]).toEqual([
    220,
    100,
    'p219',
    'p120',
  ])
  expect([did?.since, did?.at]).toEqual([noon, w.clock()])
})

it('loses nothing of two passes at once', async () => {
  await Promise.all(
    ['a', 'b', 'c'].map((id) => logSweep('main', { ...nothingDone, sent: [named(id)] }, w.deps)),
  )
  expect((await state()).did).toMatchObject({ resent: 3, last: { length: 3 } })
})

it('that cannot be written is a failure of the pass, and what was sent stays sent', async () => {
  await swept(w)
  await unsent(w, 'a')
  w.advance(16 * minutes)
  w.instead('memory', 'commit', (real) => async (change) => {
    if (change.writes.some(({ name }) => name === 'sweep-log')) throw new Error('down')
    return real(change)
  })
  const { swept: found, failures } = await sweep('main', w.deps, 40)
  expect([found.resent, failures.length]).toEqual([2, 1])
})
