import type { BuildStatus } from '../../events/build.status-changed.ts'
import type { DataOf } from '../../events/event-type.ts'
import type { githubCheckSuiteCompleted } from '../../events/github.check-suite.completed.ts'
import type { githubWorkflowRunCompleted } from '../../events/github.workflow-run.completed.ts'
import type { RouteTo } from '../../events/routes.ts'
import type { testCompleted } from '../../events/test.completed.ts'
import type { Handled } from '../event/handler.ts'
import { boundedKey } from '../identity.ts'
import type { Observation } from './build.ts'

/** A branch of a fork is named as GitHub labels it, `owner:branch`: it is not the branch of that name here. */
export const branchName = (repository: string, head: { repository?: string | undefined; branch: string }) =>
  head.repository === undefined || head.repository === repository
    ? head.branch
    : `${head.repository.split('/')[0]}:${head.branch}`

/** What an event says of a branch; undefined when it says nothing: no branch, or told better by another event. */
export function observe(handled: Handled<RouteTo<'track-build'>>): Observation | undefined {
  switch (handled.type) {
    case 'github.workflow-run.requested':
      return ofWorkflowRun(handled.data, 0)
    case 'github.workflow-run.in-progress':
      return ofWorkflowRun(handled.data, 1)
    case 'github.workflow-run.completed':
      return ofWorkflowRun(handled.data, 2)
    case 'github.check-suite.completed':
      return ofCheckSuite(handled.data)
    case 'test.completed':
      return ofTests(handled.data, handled.event)
    default:
      return handled satisfies never
  }
}

/** What has neither passed nor failed has proved nothing: cancelled, stale, action_required, a word to come. */
const conclusions: ReadonlyMap<string | null, BuildStatus> = new Map([
  ['success', 'passing'],
  ['neutral', 'passing'],
  ['skipped', 'passing'],
  ['failure', 'failing'],
  ['timed_out', 'failing'],
  ['startup_failure', 'failing'],
])

const inUtc = (time: string): string => new Date(time).toISOString()

const lastStage = 2

function ofWorkflowRun(
  { workflow, workflow_run: run, repository }: DataOf<typeof githubWorkflowRunCompleted>,
  stage: number,
): Observation | undefined {
  if (run.head_branch === null) return undefined
  const name = workflow?.name || run.name || run.path || 'workflow'
  const updated = inUtc(run.updated_at)
  return {
    repository: repository.full_name,
    branch: branchName(repository.full_name, {
      repository: run.head_repository?.full_name,
      branch: run.head_branch,
    }),
    commit: run.head_sha,
    fact: {
      source: 'workflow',
      // one commit is built for its push and for its pull request, and both must be green
      name: boundedKey(run.event === undefined || run.event === 'push' ? name : `${name} (${run.event})`),
      status: (stage === lastStage && conclusions.get(run.conclusion)) || 'pending',
      conclusion: stage === lastStage ? run.conclusion : null,
      created: run.created_at === undefined ? updated : inUtc(run.created_at),
      order: [run.id, run.run_attempt, stage, updated],
    },
  }
}

function ofCheckSuite({
  check_suite: suite,
  repository,
}: DataOf<typeof githubCheckSuiteCompleted>): Observation | undefined {
  // GitHub Actions makes a suite for each run of a workflow; the run's own events say more, the attempt for one
  if (suite.head_branch === null || suite.app.slug === 'github-actions') return undefined
  const updated = inUtc(suite.updated_at)
  return {
    repository: repository.full_name,
    branch: suite.head_branch,
    commit: suite.head_sha,
    fact: {
      source: 'checks',
      name: boundedKey(suite.app.slug ?? suite.app.name),
      status: conclusions.get(suite.conclusion) ?? 'pending',
      conclusion: suite.conclusion,
      created: suite.created_at === undefined ? updated : inUtc(suite.created_at),
      order: [suite.id, 1, lastStage, updated],
    },
  }
}

function ofTests(
  { repository, branch, commit, suite, passed, failed, skipped }: DataOf<typeof testCompleted>,
  event: { time: string; received: string },
): Observation {
  // a sender whose clock is ahead must not outrank all that comes after
  const time = [inUtc(event.time), inUtc(event.received)].sort()[0] ?? event.received
  return {
    repository,
    branch,
    commit,
    fact: {
      source: 'tests',
      name: boundedKey(suite),
      status: failed > 0 ? 'failing' : 'passing',
      conclusion: null,
      tests: { passed, failed, skipped },
      created: time,
      order: [0, 1, lastStage, time],
    },
  }
}
