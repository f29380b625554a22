import { describe, expect, it } from 'vitest'
import { repositoryUpdated } from '../../events/repository.updated.ts'
import type { MemoryRecord } from '../ports.ts'
import { evolve, historyOf, limits, type RepositoryHistory, track } from './repository-history.ts'

const event = { project: 'main', received: '2026-01-01T12:00:00.000Z', actor: 'user:k1' }
const data = (version: number, given: Partial<typeof repositoryUpdated.example> = {}) =>
  repositoryUpdated.schema.parse({ ...repositoryUpdated.example, version, ...given })

/** What these, one after the other, come to. */
const built = (...versions: ReturnType<typeof data>[]): RepositoryHistory | undefined =>
  versions.reduce<RepositoryHistory | undefined>((state, one) => evolve(state, one, event), undefined)

describe('the history of a repository', () => {
  it('begins with what was declared first', () => {
    const history = built(data(1, { gates: [] }))
    expect(history).toMatchObject({ repository: 'Codertocat/Hello-World', version: 1, since: 1 })
    expect(history?.steps).toEqual([
      {
        version: 1,
        at: event.received,
        by: 'user:k1',
        changes: [
          { path: '/deployBranch', after: 'master' },
          { path: '/gates', after: [] },
        ],
      },
    ])
  })

  it('says of each version what it changed, newest first', () => {
    const gates = [{ gate: 'risk' as const, maximum: 70 }]
    const history = built(
      data(1, { gates: [] }),
      data(2, { gates, deployBranch: 'main' }),
      data(3, { gates: [], deployBranch: 'main' }),
    )
    expect(history?.steps.map(({ version, changes }) => [version, changes])).toEqual([
      [
        3,
        [
          { path: '/gates/0/gate', before: 'risk' },
          { path: '/gates/0/maximum', before: 70 },
          { path: '/gates/0/onFailure', before: 'hold' },
        ],
      ],
      [
        2,
        [
          { path: '/deployBranch', before: 'master', after: 'main' },
          { path: '/gates/0/gate', after: 'risk' },
          { path: '/gates/0/maximum', after: 70 },
          { path: '/gates/0/onFailure', after: 'hold' },
        ],
      ],
      [1, expect.any(Array)],
    ])
  })

  it('may begin with any version: what changed with that one is not known', () => {
    const history = built(data(6), data(7, { deployBranch: 'main' }))
    expect(history).toMatchObject({
      since: 6,
      version: 7,
      steps: [{ version: 7 }, { version: 6, changes: [] }],
    })
  })

  it.each([
    ['leaves none out', 7, 'version 7 comes after 5: what lies between has not come'],
    ['takes none twice', 4, 'version 4 is taken in already'],
    ['does not put one before its beginning', 2, 'version 2 comes after 3, with which this history began'],
  ])('%s', (_, version, why) => {
    const state = built(data(3), data(4), data(5))
    expect(() => evolve(state, data(version), event)).toThrow(
      expect.objectContaining({
        code: 'Conflict',
        message: expect.stringContaining(why),
        faults: [{ path: 'data.version', expected: '6', got: String(version) }],
      }),
    )
  })

  it('forgets the oldest beyond a hundred', () => {
    const all = Array.from({ length: 130 }, (_, n) => data(n + 1, { deployBranch: `b${n}` }))
    const history = built(...all)
    expect(history?.steps).toHaveLength(limits.steps)
    expect(history?.steps[0]?.version).toBe(130)
    expect(history).toMatchObject({ since: 1, version: 130 })
  })

  it('stays far below what one record can hold, however much each changes', () => {
    const gates = (n: number) =>
      Array.from({ length: 20 }, (_, at) => ({
        gate: 'approval' as const,
        fromRisk: (n + at) % 100,
        expiresInMinutes: n + at + 1,
      }))
    const branch = (n: number) => 'ä'.repeat(250) + n
    const all = Array.from({ length: 120 }, (_, n) =>
      data(n + 1, { gates: gates(n), deployBranch: branch(n) }),
    )
    const history = built(...all)
    expect(history?.steps.flatMap(({ changes }) => changes).length).toBeLessThanOrEqual(limits.changes)
    expect(history?.steps.length).toBeGreaterThan(10)
    expect(Buffer.byteLength(JSON.stringify(history))).toBeLessThan(250_000)
  })
})

describe('what an event changes', () => {
  it('is the record of its repository, on the version that was read', () => {
    const first = track(event, data(1), undefined)
    const [write] = first.writes
    expect(write).toMatchObject({
      project: 'main',
      kind: 'repository-history',
      name: 'Codertocat/Hello-World',
      version: 1,
    })
    const second = track(event, data(2), write)
    expect(second).toMatchObject({ emits: [], sequence: 2, writes: [{ version: 2 }] })
    expect(historyOf(second.writes[0])).toMatchObject({ version: 2, steps: [{ version: 2 }, { version: 1 }] })
  })

  it('is not decided on a record of something else', () => {
    const other: MemoryRecord = { project: 'main', kind: 'x', name: 'y', version: 1, value: { n: 1 } }
    expect(() => track(event, data(1), other)).toThrow()
  })
})
