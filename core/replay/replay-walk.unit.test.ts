import { describe, expect, it } from 'vitest'
import { repositoryUpdated } from '../../events/repository.updated.ts'
import { queued, told } from '../../test/arrivals.ts'
import { line, nameOf } from '../../test/lanes.ts'
import { type ReplayWorld, replayWorld } from '../../test/replaying.ts'
import { minutes, testRoutes } from '../../test/world.ts'
import { Failure } from '../errors.ts'

describe('a replay to an ordered subscriber', () => {
  /** Versions of repositories in this order: `a1` is version 1 of a. */
  async function declared(w: ReplayWorld, ...names: string[]): Promise<void> {
    for (const name of names) {
      const [repository = '', version] = [name.slice(0, 1), Number(name.slice(1))]
      const data = { ...repositoryUpdated.example, repository: `octo/${repository}`, version }
      const about = { partitionkey: `repository/octo/${repository}`, sequence: version }
      await w.one({ ...queued(told({ type: 'repository.updated', data }, about)), received: w.clock() })
      w.advance(minutes)
    }
  }

  const ordered = async (...names: string[]) => {
    const w = replayWorld({ routes: [...testRoutes, line] })
    await declared(w, ...names)
    await w.handle('line', async () => [])
    return w
  }

  it('sends what is wanted of a key by its sequence, however it was written down', async () => {
    const w = await ordered('a2', 'b1', 'a1', 'b3', 'a3', 'b2')
    const seen: string[] = []
    const job = await w.run(await w.replay('line', { type: 'repository.updated' }), () =>
      w.handle('line', async (handled) => {
        seen.push(nameOf(handled))
        return []
      }),
    )
    expect(seen.filter((name) => name.startsWith('a'))).toEqual(['a1', 'a2', 'a3'])
    expect(seen.filter((name) => name.startsWith('b'))).toEqual(['b1', 'b2', 'b3'])
    expect(job.counts).toMatchObject({ matched: 6, sent: 6, done: 6 })
  })

  it('takes a key from its index, and a time out of the middle of it', async () => {
    const w = await ordered('a1', 'b1', 'a2', 'a3', 'b2')
    const chosen = async (selection: Parameters<typeof w.replay>[1]) => {
      const seen: string[] = []
      await w.run(await w.replay('line', selection), () =>
        w.handle('line', async (handled) => {
          seen.push(nameOf(handled))
          return []
        }),
      )
      return seen
    }
    w.calls.length = 0
    expect(await chosen({ key: 'repository/octo/a' })).toEqual(['a1', 'a2', 'a3'])
    expect(w.calls).not.toContain('history.pages')
    const third = w.events().find(({ event }) => nameOf({ data: event.data }) === 'a2')?.event.received
    expect(third).toBeDefined()
    expect((await chosen({ since: third })).toSorted()).toEqual(['a2', 'a3', 'b2'])
  })

  it('one that dies holds up what is behind it in this replay, and nothing that is live', async () => {
    const w = await ordered('a1', 'a2', 'a3')
    const id = await w.replay('line', { type: 'repository.updated' })
    const job = await w.run(id, () =>
      w.handle('line', async (handled) => {
        if (handled.replay !== '' && nameOf(handled) === 'a2') throw new Failure('Invalid', 'no')
        return []
      }),
    )
    expect(job).toMatchObject({ state: 'done', counts: { done: 1, dead: 1, parked: 1 } })
    await declared(w, 'a4')
    expect(await w.handle('line', async () => [])).toMatchObject([{ outcome: 'done' }])
  })

  it('goes on amid a key where it was killed', async () => {
    const names = Array.from({ length: 12 }, (_, n) => `a${n + 1}`)
    const w = await ordered(...names)
    const id = await w.replay('line', { type: 'repository.updated' }, 1)
    const seen: string[] = []
    const handle = () =>
      w.handle('line', async (handled) => {
        seen.push(nameOf(handled))
        return []
      })
    await w.batch(id)
    await handle()
    expect(seen).toEqual(names.slice(0, 5))
    await w.resume(id)
    await w.run(id, handle)
    expect(seen).toEqual(names)
  })

  describe('of a key that is much older than what is asked for', () => {
    const names = Array.from({ length: 300 }, (_, n) => `a${n + 1}`)
    const receivedOf = (w: ReplayWorld, name: string) =>
      w.events().find(({ event }) => nameOf({ data: event.data }) === name)?.event.received
    const replayed = async (w: ReplayWorld, selection: Parameters<typeof w.replay>[1]) => {
      const seen: string[] = []
      w.calls.length = 0
      await w.run(await w.replay('line', selection), () =>
        w.handle('line', async (handled) => {
          seen.push(nameOf(handled))
          return []
        }),
      )
      return { seen, read: w.calls.filter((call) => call.startsWith('history.fate')).length }
    }

    it('reads no more of it than about what is asked for, from either end', async () => {
      const w = await ordered(...names)
      const late = await replayed(w, { since: receivedOf(w, 'a296') })
      expect(late.seen).toEqual(names.slice(295))
      const key = 'repository/octo/a'
      const lateOfKey = await replayed(w, { key, since: receivedOf(w, 'a296') })
      expect(lateOfKey.seen).toEqual(names.slice(295))
      const early = await replayed(w, { key, until: receivedOf(w, 'a5') })
      expect(early.seen).toEqual(names.slice(0, 5))
      // it is walked through several times: to send, and to see what has come of that
      expect(Math.max(late.read, lateOfKey.read, early.read)).toBeLessThan(1.5 * names.length)
    })

    it('goes by all of it where all is asked for', async () => {
      const w = await ordered(...names.slice(0, 80))
      expect((await replayed(w, { type: 'repository.updated' })).seen).toEqual(names.slice(0, 80))
    })

    it('begins with what cannot be read right before the first, and counts it', async () => {
      const w = await ordered(...names.slice(0, 60))
      const unread = w.events().find(({ event }) => nameOf({ data: event.data }) === 'a55')?.event.id
      w.instead('history', 'fate', (real) => async (identity, read) => {
        if (identity.id === unread) throw new Failure('NewerVersion', 'newer')
        return real(identity, read)
      })
      const since = receivedOf(w, 'a55')
      const id = await w.replay('line', { key: 'repository/octo/a', since })
      const job = await w.run(id, () => w.handle('line', async () => []))
      expect(job.counts).toMatchObject({ sent: 5, unreadable: 1 })
    })
  })
})
