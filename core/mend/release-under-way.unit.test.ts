import { beforeEach, describe, expect, it } from 'vitest'
import { type World, world } from '../../test/world.ts'
import { changeJob, pause, stop } from '../job/job.ts'
import { releaseJob } from '../job/release-job.ts'
import { redriveJob } from './redrive.ts'
import { isBeingReleased } from './release-under-way.ts'

let w: World
beforeEach(() => {
  w = world()
})

async function asked(id: string, subscriber: string): Promise<void> {
  const made = releaseJob({ project: 'main', subscriber }, { id, by: 'ann', at: w.clock(), rate: 1 })
  await w.stores.memory.commit({ writes: [made.write], outbox: [] })
  w.advance(1000)
}
const paused = (id: string) => changeJob('main', id, w.stores.memory, pause)
const stopped = (id: string) => changeJob('main', id, w.stores.memory, (job) => stop(job, 'enough', w.clock))
const underWay = (subscriber = 'analyze') => isBeingReleased('main', subscriber, w.deps)

describe('a release that somebody has paused', () => {
  it.each([
    ['open', async () => undefined],
    ['ended', stopped],
  ])('is under way however many have been asked for since, and are %s', async (_, then) => {
    await asked('own', 'analyze')
    await paused('own')
    for (let n = 0; n < 250; n++) {
      await asked(`other${n}`, n % 2 === 0 ? 'shop' : 'analyze')
      await then(`other${n}`)
    }
    expect(await underWay()).toBe(true)
    await stopped('own')
    expect(await underWay()).toBe(false)
  })

  it('costs one read once those before it have ended', async () => {
    for (let n = 0; n < 250; n++) {
      await asked(`other${n}`, 'analyze')
      await stopped(`other${n}`)
    }
    const before = w.calls.length
    expect(await underWay()).toBe(false)
    expect(w.calls.slice(before)).toEqual(['memory.list'])
  })
})

it('a redrive of what is dead is no release of what is parked', async () => {
  const { write } = redriveJob('main', {
    ...{ id: 'j', subscriber: 'analyze', subscribers: ['analyze'], by: 'ann', asked: w.clock() },
    ...{ rate: 1, selection: {} },
  })
  await w.stores.memory.commit({ writes: [write], outbox: [] })
  await paused('j')
  expect(await underWay()).toBe(false)
})

it('nobody says that nothing is under way where more jobs are open than can be looked at', async () => {
  for (let n = 0; n < 2001; n++) await asked(`other${n}`, 'shop')
  await expect(underWay()).rejects.toThrow('open jobs')
})
