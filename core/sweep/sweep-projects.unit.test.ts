import { beforeEach, describe, expect, it } from 'vitest'
import { minutes, type World, world } from '../../test/world.ts'
import { projects, registerProject } from '../gate/access.ts'
import { projectsToSweep, sweepProjects } from './sweep-projects.ts'

let w: World
beforeEach(() => {
  w = world()
})

const doors = (accounts: string[] = [], webhooks: string[] = []) => ({
  accounts,
  webhooks: async () => webhooks,
})

describe('the projects to be swept', () => {
  it('are main, those of accounts, of webhook secrets and of keys, each once', async () => {
    await registerProject(w.stores.memory, 'keyed', w.clock())
    const { names, failures } = await projectsToSweep(
      doors(['b', 'main', 'b'], ['hooked', 'b', 'main']),
      w.deps,
    )
    expect(failures).toEqual([])
    expect(names).toEqual(['b', 'hooked', 'keyed', 'main'])
  })

  it('stay, though the account or the secret is taken away', async () => {
    await projectsToSweep(doors(['mapped'], ['hooked']), w.deps)
    expect((await projectsToSweep(doors(), w.deps)).names).toEqual(['hooked', 'main', 'mapped'])
    expect(await projects(w.stores.memory)).toEqual(['hooked', 'main', 'mapped'])
  })

  it('are registered once: a pass that finds nobody new writes nothing', async () => {
    await projectsToSweep(doors(['mapped'], ['hooked']), w.deps)
    const before = w.calls.length
    await projectsToSweep(doors(['mapped'], ['hooked']), w.deps)
    expect(w.calls.slice(before)).toEqual(['memory.list'])
  })

  it('are those that can be told where a door cannot be asked, and that is a failure', async () => {
    await registerProject(w.stores.memory, 'keyed', w.clock())
    const webhooks = () => Promise.reject(new Error('denied'))
    const found = await projectsToSweep({ accounts: ['mapped'], webhooks }, w.deps)
    expect(found).toMatchObject({ names: ['keyed', 'main', 'mapped'], failures: [{ message: 'denied' }] })
    w.failing('memory', 'list')
    w.failing('memory', 'get')
    const blind = await projectsToSweep(doors(['mapped']), w.deps)
    expect(blind.names).toEqual(['main', 'mapped'])
    expect(blind.failures.length).toBeGreaterThan(0)
  })
})

describe('project by project', () => {
  const names = ['a', 'b', 'c', 'd', 'e']
  const turn = async (seconds = 40) => {
    const swept: string[] = []
    for await (const { swept: one } of sweepProjects(names, w.deps, seconds)) swept.push(one.project)
    return swept
  }

  it('each is swept, and another one is the first in each minute', async () => {
    const firsts = new Set<string | undefined>()
    for (let passes = 0; passes < names.length; passes++) {
      const swept = await turn()
      expect(swept.toSorted()).toEqual(names)
      firsts.add(swept[0])
      w.advance(minutes)
    }
    expect(firsts.size).toBe(names.length)
  })

  it('none is begun when the time is over, and each has its turn in the minutes after', async () => {
    w.instead('memory', 'staleOutbox', (real) => async (...query) => {
      w.advance(25_000)
      return real(...query)
    })
    const seen = new Set<string>()
    for (let passes = 0; passes < names.length; passes++) {
      const swept = await turn()
      expect(swept).toHaveLength(2)
      for (const project of swept) seen.add(project)
      w.advance(minutes - 50_000)
    }
    expect([...seen].sort()).toEqual(names)
  })

  it('those with more to do than there is time for share it: none takes it all', async () => {
    await turn()
    w.advance(31 * 24 * 60 * minutes)
    w.instead('history', 'pages', (real) => async (query) => {
      w.advance(1000)
      return real(query)
    })
    expect((await turn()).toSorted()).toEqual(names)
  })
})
