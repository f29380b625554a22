import { describe, expect, it } from 'vitest'
import { repositoryUpdated } from '../../events/repository.updated.ts'
import { queued, told } from '../../test/arrivals.ts'
import { line, nameOf } from '../../test/lanes.ts'
import { type ReplayWorld, replayWorld } from '../../test/replaying.ts'
import { minutes, testRoutes } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import { firstOf } from './replay-lists.ts'

describe('where a window amid a key begins', () => {
  const noon = Date.parse('2026-01-01T12:00:00.000Z')
  /** A key of very many events, one a second but for some that are written late, and one that cannot be read. */
  const key = ({ many, every = 1 }: { many: number; every?: number }, late: readonly number[] = []) => {
    const written = (n: number) => new Date(noon + (late.includes(n) ? n + 9 : n) * 1000).toISOString()
    const calls = { byKey: 0, fate: 0 }
    const history = {
      byKey: async ({ from = 0, cursor, limit }: { from?: number; cursor?: string; limit: number }) => {
        calls.byKey++
        const first = Math.max(0, Math.ceil(Number(cursor ?? from) / every))
        const end = Math.min(many, first + limit)
        const items = Array.from({ length: Math.max(0, end - first) }, (_, n) => ({
          ...{ project: 'main', source: '/s', id: `e${first + n}`, sequence: (first + n) * every },
        }))
        return { items, next: end < many ? String(end * every) : undefined }
      },
      fate: async ({ id }: { id: string }) => {
        calls.fate++
        const n = Number(id.slice(1))
        if (n === 500_001) throw new Failure('NewerVersion', 'newer')
        const event = { source: '/s', id, type: 't', received: written(n) }
        return { stored: { event, page: { page: `${written(n)}x`, shard: 0 } }, deliveries: [] }
      },
    }
    const firstIn = (from: number, to: number) => {
      const scope = { project: 'main', selection: {}, after: written(from), to: written(to) }
      return firstOf(scope, 'k', { history, route: line, consistent: false } as never)
    }
    return { calls, firstIn }
  }

  it.each([1, 7, 1_000_000])(
    'is found by some reads, however long the key (a sequence of every %i)',
    async (every) => {
      const { calls, firstIn } = key({ many: 10_000_000, every })
      for (const n of [40, 3_000, 5_000_000, 9_999_000]) {
        Object.assign(calls, { byKey: 0, fate: 0 })
        expect(await firstIn(n, n + 50)).toMatchObject({ since: n * every })
        expect(calls.byKey).toBeLessThan(100)
        expect(calls.fate).toBeLessThan(400)
      }
    },
  )

  it('is found among some that were written late, and begins with what cannot be read right before', async () => {
    const { firstIn } = key({ many: 1_000_000 }, [299_995, 300_003])
    expect(await firstIn(300_000, 300_050)).toMatchObject({ since: 299_995 })
    expect(await firstIn(500_002, 500_050)).toMatchObject({ first: 'main /s e500002', since: 500_001 })
    expect(await firstIn(500_003, 500_050)).toMatchObject({ since: 500_003 })
  })

  it('is not there where nothing was written then', async () => {
    const { calls, firstIn } = key({ many: 1_000_000 })
    expect(await firstIn(-5_000, -4_000)).toEqual({ since: undefined })
    expect(await firstIn(2_000_000, 2_000_050)).toEqual({ since: undefined })
    expect(calls.fate).toBeLessThan(400)
  })
})

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
