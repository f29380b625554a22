import { describe, expect, it } from 'vitest'
import { repositoryUpdated } from '../../events/repository.updated.ts'
import { seeded } from '../../test/world.ts'
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

  it('holds the next against the last that is known where some are missing, and says which that is', () => {
    const history = built(data(1), data(2), data(5, { deployBranch: 'main' }), data(6))
    expect(history?.steps).toMatchObject([
      { version: 6, changes: [{ path: '/deployBranch', before: 'main', after: 'master' }] },
      { version: 5, after: 2, changes: [{ path: '/deployBranch', before: 'master', after: 'main' }] },
      { version: 2, changes: [] },
      { version: 1 },
    ])
    expect(history?.steps.filter(({ after }) => after !== undefined)).toHaveLength(1)
    expect(history).toMatchObject({ since: 1, version: 6 })
  })

  it.each([
    ['the newest', 5],
    ['an older one', 4],
    ['the first', 3],
  ])('takes %s no second time', (_, version) => {
    const state = built(data(3), data(4), data(5))
    expect(() => evolve(state, data(version), event)).toThrow(
      expect.objectContaining({
        code: 'Conflict',
        message: expect.stringContaining(`version ${version} is in the history`),
        faults: [{ path: 'data.version', expected: 'one that is not', got: String(version) }],
      }),
    )
  })

  const random = seeded(7)
  const upTo = (most: number) => Math.floor(random() * most)
  const gate = (): object => {
    const onFailure = upTo(2) === 0 ? 'hold' : 'rollback'
    const kinds = [
      { gate: 'build', onFailure },
      { gate: 'tests', minimumPassed: upTo(3), maximumFailed: upTo(3), onFailure },
      { gate: 'risk', maximum: upTo(3), onFailure },
      { gate: 'approval', fromRisk: upTo(3), expiresInMinutes: 1 + upTo(3), onFailure },
    ]
    return kinds[upTo(kinds.length)] ?? {}
  }
  const anything = (version: number, gates: number) =>
    repositoryUpdated.schema.parse({
      ...data(version),
      // longer than what is shown of a text elsewhere
      deployBranch: 'b'.repeat(upTo(2) * 230) + upTo(3),
      gates: Array.from({ length: upTo(gates + 1) }, gate),
    })

  it.each([
    ['a few', 12, 3, 200],
    ['more than are remembered', 150, 3, 10],
    ['more changes than are remembered', 60, 20, 10],
  ])('is the same in whatever order %s come', (_, versions, gates, rounds) => {
    for (let round = 0; round < rounds; round++) {
      const all = Array.from({ length: versions }, (__, n) => anything(n + 1, gates))
      const taken = all.filter(() => random() < 0.8)
      const [first] = taken
      const mixed = taken
        .map((one) => ({ one, place: random() }))
        .sort((one, other) => one.place - other.place)
        .map(({ one }) => one)
      const history = built(...mixed)
      expect(history).toEqual(built(...taken))
      expect(history?.since).toBe(first?.version)
    }
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
