import { describe, expect, test } from 'vitest'
import type { RecordedEvent } from '../../events/envelope.ts'
import { githubPullRequestOpened } from '../../events/github.pull-request.opened.ts'
import { githubPush } from '../../events/github.push.ts'
import { repositoryUpdated } from '../../events/repository.updated.ts'
import { repositoryValidationRequested } from '../../events/repository.validation-requested.ts'
import type { MemoryRecord, RecordKey } from '../ports.ts'
import { analyzePush } from './analyze-push.ts'
import { buildRecord } from './build.ts'
import { collectFact, type FactName, type FactsDeps, pullRequestRisk } from './facts.ts'
import { evaluateGate } from './gates.ts'
import { repositoryRecord } from './repository.ts'

const identity = { project: 'main', source: 'https://github.com/Codertocat/Hello-World', id: 'd1' }
const push = githubPush.schema.parse(githubPush.example)
const pullRequest = githubPullRequestOpened.schema.parse(githubPullRequestOpened.example)
const requested = repositoryValidationRequested.schema.parse(repositoryValidationRequested.example)

const keyText = ({ project, kind, name }: RecordKey) => `${project} ${kind} ${name}`

/** What collectFact needs, holding one event and some records. */
function world(type: string, data: unknown, records: MemoryRecord[] = []) {
  const held = new Map(records.map((record) => [keyText(record), record]))
  const bodies = new Map<string, Uint8Array>()
  const event: RecordedEvent = {
    specversion: '1.0',
    ...identity,
    type,
    time: '2026-01-01T12:00:00Z',
    received: '2026-01-01T12:00:00.000Z',
    door: 'http',
    dataversion: 1,
    data,
    partitionkey: 'repository/Codertocat/Hello-World',
    correlationid: 'd1',
    hops: 0,
    actor: 'system',
  }
  const deps: FactsDeps = {
    history: {
      getEvents: async (asked) =>
        asked.map(({ id }) =>
          id === event.id
            ? { event, content: '', expects: [], page: { hour: '', shard: 0, page: '' } }
            : undefined,
        ),
    },
    memory: {
      get: async (key) => held.get(keyText(key)),
      commit: async ({ writes }) => {
        if (writes.some((write) => held.has(keyText(write)))) return 'version conflict'
        for (const write of writes) held.set(keyText(write), write)
        return 'committed'
      },
    },
    bodies: { get: async (key) => bodies.get(key) },
  }
  return { event, bodies, held, collect: (fact: FactName, of = identity) => collectFact(fact, of, deps) }
}

describe('change', () => {
  test('of a push: its branch, head and risk', async () => {
    const { score, reasons } = analyzePush(push).risk
    expect(await world('github.push', push).collect('change')).toEqual({
      repository: 'Codertocat/Hello-World',
      branch: 'master',
      commit: push.after,
      proposed: false,
      risk: { score, reasons },
    })
  })

  test('of a branch with slashes in its name', async () => {
    const { collect } = world('github.push', { ...push, ref: 'refs/heads/feature/a/b' })
    expect(await collect('change')).toMatchObject({ branch: 'feature/a/b' })
  })

  test('of a pull request: proposed, with the branch of a fork named as the fork’s', async () => {
    const { pull_request } = pullRequest
    const from = (full_name: string) =>
      world('github.pull-request.opened', {
        ...pullRequest,
        pull_request: { ...pull_request, head: { ref: 'master', sha: 'abc', repo: { full_name } } },
      }).collect('change')
    expect(await from('Codertocat/Hello-World')).toMatchObject({ branch: 'master', proposed: true })
    expect(await from('stranger/Hello-World')).toMatchObject({
      branch: 'stranger:master',
      proposed: true,
      commit: 'abc',
    })
  })

  test('that somebody asks about has the risk of the push that brought it, and none before', async () => {
    const asked = { ...requested, commit: push.after }
    expect(await world(repositoryValidationRequested.type, asked).collect('change')).not.toHaveProperty(
      'risk',
    )
    const before = world('github.push', push)
    const told = await before.collect('change')
    const after = world(repositoryValidationRequested.type, asked, [...before.held.values()])
    expect(await after.collect('change')).toEqual(told)
    const elsewhere = world(repositoryValidationRequested.type, { ...asked, branch: 'other' }, [
      ...before.held.values(),
    ])
    expect(await elsewhere.collect('change')).not.toHaveProperty('risk')
  })

  test('of a commit that was pushed twice keeps the first risk for those who ask', async () => {
    const first = world('github.push', push)
    await first.collect('change')
    const again = world('github.push', { ...push, commits: [], forced: true }, [...first.held.values()])
    await again.collect('change')
    expect([...again.held.values()]).toEqual([...first.held.values()])
  })

  test('of a pull request is not remembered as a push of its branch', async () => {
    const { collect, held } = world('github.pull-request.opened', pullRequest)
    await collect('change')
    expect(held.size).toBe(0)
  })

  test('with a large body is read from where the body lies', async () => {
    const { event, bodies, collect } = world('github.push', undefined)
    Object.assign(event, { dataref: 'project/main/x', data: undefined })
    await expect(collect('change')).rejects.toMatchObject({ code: 'NotFound' })
    bodies.set('project/main/x', Buffer.from(JSON.stringify(push)))
    expect(await collect('change')).toMatchObject({ commit: push.after })
  })

  test.each([
    ['a tag', 'github.push', { ...push, ref: 'refs/tags/v1' }],
    ['a deleted branch', 'github.push', { ...push, deleted: true }],
    ['a type that is about no change', 'order.placed', {}],
    ['data that does not fit', 'github.push', { ref: 'refs/heads/main' }],
  ])('%s is terminal', async (_, type, data) => {
    await expect(world(type, data).collect('change')).rejects.toMatchObject({ code: 'Invalid' })
  })

  test('an event that is gone is terminal', async () => {
    const { collect } = world('github.push', push)
    await expect(collect('change', { ...identity, id: 'other' })).rejects.toMatchObject({ code: 'NotFound' })
  })
})

describe('repository', () => {
  const declared: MemoryRecord = {
    ...repositoryRecord('main', 'Codertocat/Hello-World'),
    version: 1,
    value: repositoryUpdated.schema.parse(repositoryUpdated.example),
  }

  test('declared: its deploy branch and gates, after the one that all have', async () => {
    expect(await world('github.push', push, [declared]).collect('repository')).toEqual({
      declared: true,
      deployBranch: 'master',
      gates: [
        { gate: 'branch' },
        { gate: 'build', onFailure: 'rollback' },
        { gate: 'approval', fromRisk: 60, expiresInMinutes: 60, onFailure: 'hold' },
      ],
    })
  })

  test('not declared: what GitHub calls default, and green builds', async () => {
    expect(await world('github.push', push).collect('repository')).toEqual({
      declared: false,
      deployBranch: 'master',
      gates: [{ gate: 'branch' }, { gate: 'build', onFailure: 'hold' }],
    })
  })

  test('nobody says a branch: main', async () => {
    const { collect } = world(repositoryValidationRequested.type, requested)
    expect(await collect('repository')).toMatchObject({ deployBranch: 'main' })
  })

  test('of another project counts for nothing', async () => {
    const { collect } = world('github.push', push, [{ ...declared, project: 'other' }])
    expect(await collect('repository')).toMatchObject({ declared: false })
  })
})

describe('build', () => {
  const fact = (name: string, status: string) => ({
    source: 'workflow',
    name,
    status,
    conclusion: null,
    created: '2026-01-01T12:00:00.000Z',
    order: [1, 1, 2, '2026-01-01T12:00:00.000Z'],
  })
  const tests = { passed: 3, failed: 0, skipped: 1 }
  const record: MemoryRecord = {
    ...buildRecord('main', 'Codertocat/Hello-World', 'master'),
    version: 3,
    value: {
      repository: 'Codertocat/Hello-World',
      branch: 'master',
      commits: [
        { commit: 'newer', facts: [fact('CI', 'failing')] },
        {
          commit: push.after,
          facts: [fact('CI', 'passing'), { ...fact('unit tests', 'passing'), source: 'tests', tests }],
        },
      ],
    },
  }

  test('of this commit, not of the newest', async () => {
    expect(await world('github.push', push, [record]).collect('build')).toEqual({
      builds: [{ name: 'CI', status: 'passing' }],
      tests: [{ suite: 'unit tests', ...tests }],
    })
  })

  test('nothing known', async () => {
    expect(await world('github.push', push).collect('build')).toEqual({ builds: [], tests: [] })
  })
})

test('an undeclared repository whose build is green may go', () => {
  const facts = {
    change: { repository: 'o/r', branch: 'master', commit: 'abc', proposed: false },
    repository: { declared: false, deployBranch: 'master', gates: [] },
    build: { builds: [{ name: 'CI', status: 'passing' as const }], tests: [] },
  }
  for (const gate of [{ gate: 'branch' }, { gate: 'build', onFailure: 'hold' }] as const)
    expect(evaluateGate(gate, facts).outcome).toBe('passed')
})

describe('the risk of a pull request goes by its size', () => {
  test.each([
    [{ additions: 1, deletions: 1, changed_files: 1 }, 0],
    [{ additions: 50, deletions: 0, changed_files: 51 }, 15],
    [{ additions: 900, deletions: 200, changed_files: 201 }, 45],
    [{ additions: 9_000, deletions: 0, changed_files: 1 }, 30],
  ])('%j', (counts, score) => {
    const risk = pullRequestRisk(counts)
    expect(risk?.score).toBe(score)
    expect(risk?.reasons).toHaveLength(score / 15)
  })

  test('and is unknown where GitHub does not tell it', () => {
    expect(pullRequestRisk({ additions: 1 })).toBeUndefined()
  })
})
