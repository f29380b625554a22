import { describe, expect, test } from 'vitest'
import type { History } from '../../core/ports.ts'
import { allPages, freshProject, minute, sample } from './samples.ts'

/** What every History lists by partition key and sequence. */
export function historyOrderContract(make: () => { history: History }): void {
  describe('events by key', () => {
    const type = 'build.status-changed'
    const source = '/loadpath/track-build'

    test('come by their sequence as a number, page by page, however they were written', async () => {
      const { history } = make()
      const project = freshProject()
      const sequences = [10, 9, 100, 1, 2, 11]
      const changes = sequences.map((sequence) =>
        sample({
          ...{ project, source, type, sequence },
          id: `e${sequence}`,
          partitionkey: 'build/octo/hello/ü',
          received: minute(sequence % 7),
        }),
      )
      await history.insertEvents(changes)
      for (const limit of [2, 100]) {
        const pages = await allPages((cursor) =>
          history.byKey({ project, partitionkey: 'build/octo/hello/ü', cursor, limit }),
        )
        expect(pages.flat()).toEqual(
          sequences
            .toSorted((a, b) => a - b)
            .map((sequence) => ({ project, source, id: `e${sequence}`, sequence })),
        )
        expect(Math.max(...pages.map((page) => page.length))).toBeLessThanOrEqual(limit)
      }
    })

    test('come from a sequence on, and newest first where that is asked for', async () => {
      const { history } = make()
      const about = { project: freshProject(), partitionkey: 'build/1' }
      const sequences = [1, 2, 9, 10, 11, 100]
      await history.insertEvents(
        sequences.map((sequence) => sample({ ...about, source, type, sequence, id: `e${sequence}` })),
      )
      const listed = async (query: { from?: number }) =>
        (await allPages((cursor) => history.byKey({ ...about, ...query, cursor, limit: 2 })))
          .flat()
          .map(({ sequence }) => sequence)
      expect(await listed({})).toEqual(sequences)
      expect(await listed({ from: 9 })).toEqual([9, 10, 11, 100])
      expect(await listed({ from: 101 })).toEqual([])
    })

    test('of one sequence come each once', async () => {
      const { history } = make()
      const project = freshProject()
      const ids = Array.from({ length: 7 }, (_, n) => `e${n}`)
      await history.insertEvents(
        ids.map((id) => sample({ project, source, type, id, sequence: 3, partitionkey: 'build/1' })),
      )
      const pages = await allPages((cursor) =>
        history.byKey({ project, partitionkey: 'build/1', cursor, limit: 3 }),
      )
      expect(
        pages
          .flat()
          .map(({ id }) => id)
          .toSorted(),
      ).toEqual(ids)
    })

    test('are those of the project and key alone whose type keeps an order', async () => {
      const { history } = make()
      const project = freshProject()
      const other = freshProject()
      const of = (id: string, more: object) =>
        sample({ project, source, type, id, sequence: 1, partitionkey: 'build/1', ...more })
      await history.insertEvents([
        of('own', {}),
        of('of another project', { project: other }),
        of('of another key', { partitionkey: 'build/10' }),
        of('of an unordered type', { type: 'approval.decided' }),
        of('without a sequence', { sequence: undefined }),
      ])
      const found = await history.byKey({ project, partitionkey: 'build/1', limit: 10 })
      expect(found).toEqual({ items: [{ project, source, id: 'own', sequence: 1 }], next: undefined })
      expect(await history.byKey({ project, partitionkey: 'build/2', limit: 10 })).toEqual({
        items: [],
        next: undefined,
      })
    })
  })
}
