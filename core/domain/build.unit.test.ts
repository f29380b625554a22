// Longer than 300 lines: every observation of CI in every order, over one history of a branch.
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { githubCheckSuiteCompleted } from '../../events/github.check-suite.completed.ts'
import { githubWorkflowRunCompleted } from '../../events/github.workflow-run.completed.ts'
import { githubWorkflowRunInProgress } from '../../events/github.workflow-run.in-progress.ts'
import { githubWorkflowRunRequested } from '../../events/github.workflow-run.requested.ts'
import type { RouteTo } from '../../events/routes.ts'
import { testCompleted } from '../../events/test.completed.ts'
import { Failure } from '../errors.ts'
import type { Handled } from '../event/handler.ts'
import type { MemoryRecord } from '../ports.ts'
import { type Build, buildOf, evolve, factsOf, limits, overall, track } from './build.ts'
import { branchName, observe } from './build-observation.ts'

// One file, long as it is: what is observed, kept and said is all told by the same few events, made by `run`, `suite` and `tests`.

type Told = Handled<RouteTo<'track-build'>>

/** Minutes after the start of a day. */
const at = (minute: number): string => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString()

const told = (
  type: { type: string },
  data: unknown,
  times: { time?: string; received?: string } = {},
): Told => ({ type: type.type, data, event: { time: at(0), received: at(0), ...times } }) as Told

const run = (changes: {
  stage?: 'requested' | 'in_progress' | 'completed'
  conclusion?: string | null
  id?: number
  attempt?: number
  commit?: string
  created?: number
  updated?: number
  name?: string
  event?: string
  branch?: string | null
  fork?: string
}): Told => {
  const {
    stage = 'completed',
    conclusion = 'success',
    id = 1,
    created = id,
    updated = created,
    fork,
  } = changes
  const types = {
    requested: githubWorkflowRunRequested,
    in_progress: githubWorkflowRunInProgress,
    completed: githubWorkflowRunCompleted,
  }
  return told(
    types[stage],
    types[stage].schema.parse({
      action: stage,
      workflow_run: {
        id,
        name: changes.name ?? 'CI',
        run_attempt: changes.attempt ?? 1,
        head_branch: changes.branch === undefined ? 'main' : changes.branch,
        head_sha: changes.commit ?? 'c1',
        status: stage,
        conclusion: stage === 'completed' ? conclusion : null,
        event: changes.event ?? 'push',
        ...(fork === undefined ? {} : { head_repository: { full_name: fork } }),
        created_at: at(created),
        updated_at: at(updated),
      },
      repository: { full_name: 'octo/hello' },
      sender: { login: 'octocat' },
    }),
  )
}

const suite = (changes: {
  conclusion?: string
  slug?: string
  id?: number
  commit?: string
  created?: number
}) => {
  const { id = 1, created = 1 } = changes
  return told(
    githubCheckSuiteCompleted,
    githubCheckSuiteCompleted.schema.parse({
      action: 'completed',
      check_suite: {
        id,
        head_branch: 'main',
        head_sha: changes.commit ?? 'c1',
        status: 'completed',
        conclusion: changes.conclusion ?? 'success',
        created_at: at(created),
        updated_at: at(created + 1),
        app: { slug: changes.slug ?? 'linter', name: 'Linter' },
      },
      repository: { full_name: 'octo/hello' },
      sender: { login: 'octocat' },
    }),
  )
}

const tests = (changes: {
  failed?: number
  commit?: string
  time?: string
  received?: string
  suite?: string
}) => {
  const { failed = 0, commit = 'c1', time = at(1), received = time, suite = 'unit' } = changes
  const data = { repository: 'octo/hello', branch: 'main', commit, suite, passed: 10, failed, skipped: 1 }
  return told(testCompleted, testCompleted.schema.parse(data), { time, received })
}

/** Handles events one after another, as the handler does: what is in memory after, and what was emitted. */
function handle(events: readonly Told[]) {
  let record: MemoryRecord | undefined
  const emitted: { from: string | null; to: string; commit: string }[] = []
  let writes = 0
  for (const event of events) {
    const observation = observe(event)
    const change = observation && track('main', observation, record)
    if (change === undefined) continue
    expect(change.writes).toHaveLength(1)
    expect(change.writes[0]?.version).toBe((record?.version ?? 0) + 1)
    expect(change.sequence).toBe(change.writes[0]?.version)
    record = JSON.parse(JSON.stringify(change.writes[0])) as MemoryRecord
    writes++
    emitted.push(...change.emits.map(({ data }) => data as (typeof emitted)[number]))
  }
  return { state: buildOf(record), record, emitted, writes, now: overall(buildOf(record)) }
}

describe('the status of a branch', () => {
  it('goes from its first build to its end, and says only what changes', () => {
    const { emitted, writes } = handle([
      run({ stage: 'requested' }),
      run({ stage: 'in_progress', updated: 2 }),
      run({ conclusion: 'failure', updated: 3 }),
    ])
    expect(writes).toBe(3)
    expect(emitted).toEqual([
      { repository: 'octo/hello', branch: 'main', commit: 'c1', from: null, to: 'pending', failing: [] },
      {
        repository: 'octo/hello',
        branch: 'main',
        commit: 'c1',
        from: 'pending',
        to: 'failing',
        failing: ['CI'],
      },
    ])
  })

  it.each([
    ['success', 'passing'],
    ['neutral', 'passing'],
    ['skipped', 'passing'],
    ['failure', 'failing'],
    ['timed_out', 'failing'],
    ['startup_failure', 'failing'],
    ['cancelled', 'pending'],
    ['action_required', 'pending'],
    ['stale', 'pending'],
    ['a word to come', 'pending'],
    [null, 'pending'],
  ])('%s counts as %s', (conclusion, status) => {
    expect(handle([run({ conclusion })]).now?.status).toBe(status)
  })

  it('takes no verdict from a run that has not ended', () => {
    const early = run({ stage: 'requested' })
    if (early.type === 'github.workflow-run.requested') early.data.workflow_run.conclusion = 'success'
    expect(handle([early]).now?.status).toBe('pending')
  })

  it('fails by one of several, and names all that fail', () => {
    const { now } = handle([
      run({ name: 'CI' }),
      run({ name: 'Docs', stage: 'requested' }),
      suite({ conclusion: 'failure' }),
      tests({ failed: 2 }),
    ])
    expect(now).toEqual({ commit: 'c1', status: 'failing', failing: ['linter checks', 'unit tests'] })
  })

  it('is passing when all are', () => {
    expect(handle([run({}), suite({}), tests({})]).now).toEqual({
      commit: 'c1',
      status: 'passing',
      failing: [],
    })
  })

  it('does not let the build of a pull request hide that of its push', () => {
    const { now } = handle([
      run({ id: 1, conclusion: 'failure' }),
      run({ id: 2, conclusion: 'success', event: 'pull_request' }),
    ])
    expect(now?.failing).toEqual(['CI'])
  })

  it('writes nothing for what it knows', () => {
    expect(handle([run({}), run({}), run({ stage: 'requested' })]).writes).toBe(1)
  })
})

describe('what comes late', () => {
  it('an earlier stage does not reopen a run', () => {
    expect(handle([run({ updated: 5 }), run({ stage: 'in_progress', updated: 4 })]).now?.status).toBe(
      'passing',
    )
  })

  it('an earlier stage does not reopen a run even when its clock is ahead', () => {
    expect(handle([run({ updated: 5 }), run({ stage: 'in_progress', updated: 9 })]).now?.status).toBe(
      'passing',
    )
  })

  it('an earlier attempt does not overwrite a later one, even when its clock is ahead', () => {
    const again = run({ attempt: 2, conclusion: 'success', updated: 4 })
    const first = run({ attempt: 1, conclusion: 'failure', updated: 9 })
    expect(handle([again, first]).now?.status).toBe('passing')
    expect(handle([first, again]).now?.status).toBe('passing')
  })

  it('a second attempt that begins makes what had failed pending', () => {
    const first = run({ attempt: 1, conclusion: 'failure' })
    expect(handle([first, run({ attempt: 2, stage: 'requested' })]).now?.status).toBe('pending')
  })

  it('an earlier run of a workflow does not overwrite a later one on the same commit', () => {
    const events = [run({ id: 7, conclusion: 'success' }), run({ id: 3, conclusion: 'failure', updated: 99 })]
    expect(handle(events).now?.status).toBe('passing')
  })

  it('an older commit does not speak for the branch, though its facts are kept', () => {
    const { now, state, emitted } = handle([
      run({ id: 9, commit: 'c2' }),
      run({ id: 4, commit: 'c1', conclusion: 'failure', updated: 99 }),
    ])
    expect(now).toEqual({ commit: 'c2', status: 'passing', failing: [] })
    expect(emitted).toHaveLength(1)
    expect(factsOf(state, 'c1').builds).toEqual([{ name: 'CI', status: 'failing', conclusion: 'failure' }])
  })

  it('tests of an older commit that end after the push of a newer do not make it the newest', () => {
    const { now } = handle([
      run({ id: 1, commit: 'c1' }),
      run({ id: 2, commit: 'c2', conclusion: 'failure' }),
      tests({ commit: 'c1', time: at(50) }),
    ])
    expect(now?.commit).toBe('c2')
  })

  it('tests from a clock that is ahead do not outrank all that comes after', () => {
    const { now } = handle([
      tests({ failed: 1, time: '2099-01-01T00:00:00Z', received: at(5) }),
      tests({ failed: 0, time: at(6) }),
    ])
    expect(now?.status).toBe('passing')
  })

  it('tests alone tell the newest commit where there are no builds', () => {
    const { now } = handle([
      tests({ commit: 'c2', time: at(9) }),
      tests({ commit: 'c1', failed: 1, time: at(8) }),
    ])
    expect(now).toEqual({ commit: 'c2', status: 'passing', failing: [] })
  })
})

describe('the state does not depend on the order of events', () => {
  const pick = fc.record({
    commit: fc.constantFrom('c1', 'c2', 'c3'),
    id: fc.integer({ min: 1, max: 4 }),
    updated: fc.integer({ min: 0, max: 30 }),
  })
  const anyRun = fc
    .tuple(
      pick,
      fc.constantFrom('requested' as const, 'in_progress' as const, 'completed' as const),
      fc.constantFrom('success', 'failure', 'cancelled', null),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom('CI', 'Docs'),
      fc.constantFrom('push', 'pull_request'),
    )
    .map(([{ commit, id, updated }, stage, conclusion, attempt, name, event]) =>
      run({ commit, id, created: id * 3, updated, stage, conclusion, attempt, name, event }),
    )
  const anySuite = fc
    .tuple(pick, fc.constantFrom('success', 'failure'), fc.constantFrom('linter', 'coverage'))
    .map(([{ commit, id, updated }, conclusion, slug]) =>
      suite({ commit, id, created: updated, conclusion, slug }),
    )
  const anyTests = fc
    .tuple(pick, fc.integer({ min: 0, max: 1 }), fc.constantFrom('unit', 'e2e'))
    .map(([{ commit, updated }, failed, suite]) => tests({ commit, failed, suite, time: at(updated) }))
  const history = fc.array(fc.oneof(anyRun, anySuite, anyTests), { maxLength: 25 })

  it('any permutation, with any repeated, ends the same', () => {
    fc.assert(
      fc.property(
        history.chain((events) =>
          fc.tuple(
            fc.constant(events),
            fc.subarray(events).chain((repeated) =>
              fc.shuffledSubarray([...events, ...repeated], {
                minLength: events.length + repeated.length,
                maxLength: events.length + repeated.length,
              }),
            ),
          ),
        ),
        ([events, shuffled]) => {
          expect(handle(shuffled).state).toEqual(handle(events).state)
        },
      ),
      { numRuns: 500 },
    )
  })

  const many = fc.array(
    fc
      .tuple(fc.integer({ min: 1, max: 26 }), fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 3 }))
      .map(([n, minute, kind]) => {
        const commit = `c${n}`
        if (kind === 0) return run({ commit, id: n, created: minute, conclusion: 'failure' })
        if (kind === 1) return suite({ commit, id: 40 - minute, created: minute })
        return tests({ commit, failed: kind - 2, suite: n % 2 ? 'unit' : 'e2e', time: at(minute) })
      }),
    { minLength: 40, maxLength: 90 },
  )

  it('nor does what is forgotten, of more commits than are kept, which come back or not', () => {
    fc.assert(
      fc.property(
        many.chain((events) =>
          fc.tuple(
            fc.constant(events),
            fc.shuffledSubarray(events, { minLength: events.length, maxLength: events.length }),
          ),
        ),
        ([events, shuffled]) => {
          const { state } = handle(events)
          expect(handle(shuffled).state).toEqual(state)
          // nor does what was left out for good: all of it once more changes nothing
          expect(handle([...events, ...shuffled]).state).toEqual(state)
          expect(state?.commits.length).toBeLessThanOrEqual(limits.commits)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('a commit that was forgotten comes back as what is told of it since, whenever that is told', () => {
    const failed = tests({ commit: 'c01', failed: 1, time: at(1) })
    const again = tests({ commit: 'c01', suite: 'integration', time: at(40) })
    const between = Array.from({ length: 20 }, (_, n) =>
      tests({ commit: `c${String(n + 2).padStart(2, '0')}`, time: at(n + 2) }),
    )
    const last = handle([failed, ...between, again])
    expect(last.now).toEqual({ commit: 'c01', status: 'passing', failing: [] })
    expect(handle([failed, again, ...between]).state).toEqual(last.state)
  })

  it('what is emitted tells the way to where it ends, without a step that is none', () => {
    fc.assert(
      fc.property(history, (events) => {
        const { emitted, now } = handle(events)
        expect(emitted.map(({ from }) => from)).toEqual(
          [null, ...emitted.map(({ to }) => to)].slice(0, emitted.length),
        )
        expect(emitted.every(({ from, to }) => from !== to)).toBe(true)
        expect(emitted.at(-1)?.to).toBe(now?.status)
      }),
    )
  })
})

describe('what is kept', () => {
  const state = (events: readonly Told[]): Build | undefined => handle(events).state

  it('facts of the last 20 commits, whatever comes late', () => {
    const events = Array.from({ length: 30 }, (_, index) => run({ id: index + 1, commit: `c${index + 1}` }))
    const kept = state([...events].reverse())
    expect(kept).toEqual(state(events))
    expect(kept?.commits.map(({ commit }) => commit)).toEqual(
      Array.from({ length: limits.commits }, (_, index) => `c${30 - index}`),
    )
    expect(factsOf(kept, 'c1')).toEqual({ builds: [], tests: [] })
  })

  it('fewer commits when they have very many facts', () => {
    const observation = observe(tests({}))
    if (observation === undefined) throw new Error('tests are observed')
    let kept: Build | undefined
    for (let commit = 0; commit < 4; commit++)
      for (let n = 0; n < 300; n++)
        kept = evolve(kept, {
          ...observation,
          commit: `c${commit}`,
          fact: {
            ...observation.fact,
            name: `suite ${n}`,
            created: at(commit),
            order: [0, 1, 2, at(commit)],
          },
        })
    expect(kept?.commits.map(({ commit, facts }) => [commit, facts.length])).toEqual([
      ['c3', 300],
      ['c2', 300],
    ])
  })

  it('refuses, with a reason, more sources of a commit than anybody means', () => {
    const observation = observe(tests({}))
    if (observation === undefined) throw new Error('tests are observed')
    const evolveAll = () => {
      let kept: Build | undefined
      for (let n = 0; n <= limits.factsOfCommit; n++)
        kept = evolve(kept, { ...observation, fact: { ...observation.fact, name: `suite ${n}` } })
    }
    expect(evolveAll).toThrow(new Failure('Invalid', 'commit c1 has more than 400 builds and test suites'))
  })

  it('the facts of a commit that gates ask for', () => {
    expect(factsOf(state([run({ conclusion: 'failure' }), suite({}), tests({ failed: 3 })]), 'c1')).toEqual({
      builds: [
        { name: 'linter checks', status: 'passing', conclusion: 'success' },
        { name: 'CI', status: 'failing', conclusion: 'failure' },
      ],
      tests: [{ suite: 'unit', passed: 10, failed: 3, skipped: 1 }],
    })
  })

  it('under the name of the branch, in the list of its repository, by its newest commit', () => {
    const { record } = handle([run({ branch: 'feature/x', created: 7 })])
    expect(record).toMatchObject({
      project: 'main',
      kind: 'build',
      name: 'octo/hello/feature/x',
      version: 1,
      place: { list: 'builds/octo/hello', order: at(7) },
    })
  })

  it('refuses a record that is none', () => {
    expect(() => buildOf({ project: 'main', kind: 'build', name: 'x', version: 1, value: {} })).toThrow()
  })
})

describe('what is observed', () => {
  it('nothing where there is no branch, or where the suite is only a shadow of runs', () => {
    expect(observe(run({ branch: null }))).toBeUndefined()
    expect(observe(suite({ slug: 'github-actions' }))).toBeUndefined()
  })

  it('a branch of a fork, as what it is', () => {
    expect(observe(run({ fork: 'eve/hello' }))?.branch).toBe('eve:main')
    expect(observe(run({ fork: 'octo/hello' }))?.branch).toBe('main')
    expect(branchName('octo/hello', { branch: 'main' })).toBe('main')
  })

  it('names of bounded length', () => {
    const name = observe(run({ name: 'x'.repeat(5000) }))?.fact.name ?? ''
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(256)
  })

  it('what GitHub really sent', () => {
    const kinds = createRequire(import.meta.url)('@octokit/webhooks-examples') as {
      name: string
      examples: { action?: string }[]
    }[]
    const real = (
      name: string,
      action: string,
      type: Parameters<typeof told>[0] & { schema: { parse(x: unknown): unknown } },
    ) =>
      (kinds.find((kind) => kind.name === name)?.examples ?? [])
        .filter((payload) => payload.action === action)
        .map((payload) => observe(told(type, type.schema.parse(payload))))
        .map(
          (seen) =>
            seen && [seen.repository, seen.branch, seen.fact.source, seen.fact.name, seen.fact.status],
        )
    expect(real('workflow_run', 'completed', githubWorkflowRunCompleted)).toEqual([
      // a payload whose run is of another repository than the one it is sent for, and has not ended
      [
        'Codertocat/Hello-World',
        'octo-org:main',
        'workflow',
        'Manually triggered workflow (workflow_dispatch)',
        'pending',
      ],
      ['octo-org/octo-repo', 'master', 'workflow', 'test (repository_dispatch)', 'passing'],
      ['octo-org/octo-repo', 'master', 'workflow', 'test (repository_dispatch)', 'passing'],
    ])
    expect(real('workflow_run', 'requested', githubWorkflowRunRequested)).toEqual([
      ['octo-org/octo-repo', 'master', 'workflow', 'test (repository_dispatch)', 'pending'],
      ['octo-org/octo-repo', 'master', 'workflow', 'test (repository_dispatch)', 'pending'],
    ])
    expect(real('check_suite', 'completed', githubCheckSuiteCompleted)).toEqual([
      ['Codertocat/Hello-World', 'changes', 'checks', 'octocoders-linter', 'passing'],
      undefined,
      ['Codertocat/Hello-World', 'changes', 'checks', 'octocoders-linter', 'passing'],
      ['Codertocat/Hello-World', 'changes', 'checks', 'octocoders-linter', 'passing'],
    ])
  })
})
