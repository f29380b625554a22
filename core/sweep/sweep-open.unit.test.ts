import { beforeEach, expect, it } from 'vitest'
import { byHttp, push } from '../../test/arrivals.ts'
import { minutes, noon, type World, world } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import type { HandlerAny } from '../event/handler.ts'
import type { OpenState } from '../ports.ts'
import { sweep } from './sweep.ts'

const dies: HandlerAny = async () => {
  throw new Failure('Invalid', 'no good')
}
const fails: HandlerAny = async () => Promise.reject(new Error('not now'))

let w: World
beforeEach(() => {
  w = world()
})

async function open() {
  const { swept, failures } = await sweep('main', w.deps, 40)
  expect(failures).toEqual([])
  return swept.open
}

const mark = (id: string, state: OpenState | 'done') =>
  w.stores.history.mark(
    { project: 'main', source: 's', id, subscriber: 'analyze', replay: '' },
    { state, attempts: 1, started: noon, changed: w.clock(), emitted: [] },
  )

it('what is open is counted by subscriber and state, and since when; whoever has nothing open is left out', async () => {
  await w.record(byHttp(push('a')), byHttp(push('b')))
  await w.handle('analyze', dies)
  w.advance(minutes)
  await w.handle('validate', fails)
  expect(await open()).toEqual({
    analyze: { retrying: 0, parked: 0, dead: 2, oldest: noon },
    validate: { retrying: 2, parked: 0, dead: 0, oldest: w.clock() },
  })
})

it('that the last one was settled is said once, with zeros', async () => {
  const none = { retrying: 0, parked: 0, dead: 0, oldest: undefined }
  expect(await open()).toEqual({})
  for (let times = 0; times < 2; times++) {
    await mark(`e${times}`, 'dead')
    expect(await open()).toMatchObject({ analyze: { dead: 1 } })
    expect(await open()).toMatchObject({ analyze: { dead: 1 } })
    await mark(`e${times}`, 'done')
    expect(await open()).toEqual({ analyze: none })
    expect(await open()).toEqual({})
  }
  const kept = await w.stores.memory.get({ project: 'main', kind: 'cursor', name: 'open' })
  expect(kept?.version).toBe(4)
})

it('many of one state do not hide those of another, and are said to be more than were counted', async () => {
  for (let n = 0; n < 1200; n++) await mark(`dead ${n}`, 'dead')
  for (const state of ['parked', 'retrying'] as const) await mark(state, state)
  expect(await open()).toMatchObject({
    analyze: { dead: 1000, parked: 1, retrying: 1, more: ['dead'] },
  })
})

it('cannot be counted: nobody is said to have nothing open', async () => {
  await mark('e', 'dead')
  await open()
  w.failing('history', 'openMarks')
  const { swept } = await sweep('main', w.deps, 40)
  expect(swept.open).toEqual({})
  w.mend()
  expect(await open()).toMatchObject({ analyze: { dead: 1 } })
})
