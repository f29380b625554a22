import { approvalDecided } from './approval.decided.ts'
import { approvalRequested } from './approval.requested.ts'
import { booksMended } from './books.mended.ts'
import { buildStatusChanged } from './build.status-changed.ts'
import { circuitClosed } from './circuit.closed.ts'
import { circuitOpened } from './circuit.opened.ts'
import { deliveryDropped } from './delivery.dropped.ts'
import { deliveryEdited } from './delivery.edited.ts'
import { deploymentFailed } from './deployment.failed.ts'
import { eventDeadLettered } from './event.dead-lettered.ts'
import { eventRedriven } from './event.redriven.ts'
import type { EventType } from './event-type.ts'
import { githubCheckSuiteCompleted } from './github.check-suite.completed.ts'
import { githubPullRequestOpened } from './github.pull-request.opened.ts'
import { githubPullRequestSynchronize } from './github.pull-request.synchronize.ts'
import { githubPush } from './github.push.ts'
import { githubWorkflowRunCompleted } from './github.workflow-run.completed.ts'
import { githubWorkflowRunInProgress } from './github.workflow-run.in-progress.ts'
import { githubWorkflowRunRequested } from './github.workflow-run.requested.ts'
import { jobChanged } from './job.changed.ts'
import { meshValidated } from './mesh.validated.ts'
import { qualityGateEvaluated } from './quality-gate.evaluated.ts'
import { quarantineDropped } from './quarantine.dropped.ts'
import { quarantineReleased } from './quarantine.released.ts'
import { redriveRequested } from './redrive.requested.ts'
import { replayCompleted } from './replay.completed.ts'
import { replayRequested } from './replay.requested.ts'
import { repositoryAnalyzed } from './repository.analyzed.ts'
import { repositoryUpdated } from './repository.updated.ts'
import { repositoryValidationRequested } from './repository.validation-requested.ts'
import { rollbackDecided } from './rollback.decided.ts'
import { only, type Route } from './route.ts'
import { subscriberPaused } from './subscriber.paused.ts'
import { subscriberResumed } from './subscriber.resumed.ts'
import { testCompleted } from './test.completed.ts'
import { workflowFailed } from './workflow.failed.ts'
import { workflowStarted } from './workflow.started.ts'
import { workflowSucceeded } from './workflow.succeeded.ts'

/** Who gets what. One entry is one queue and one function or workflow. */
export const routes = [
  {
    subscriber: 'analyze-push',
    kind: 'function',
    types: [githubPush],
    when: [only(githubPush, (push) => !push.deleted)],
    effect: 'outside',
    batch: 10,
    concurrency: 10,
    attempts: 5,
    timeout: 10,
    emits: [repositoryAnalyzed],
  },
  {
    subscriber: 'track-build',
    kind: 'function',
    types: [
      githubWorkflowRunRequested,
      githubWorkflowRunInProgress,
      githubWorkflowRunCompleted,
      githubCheckSuiteCompleted,
      testCompleted,
    ],
    effect: 'state',
    batch: 10,
    concurrency: 10,
    attempts: 5,
    timeout: 10,
    emits: [buildStatusChanged],
  },
  {
    subscriber: 'test-and-validate',
    kind: 'workflow',
    types: [
      githubPush,
      githubPullRequestOpened,
      githubPullRequestSynchronize,
      repositoryValidationRequested,
      buildStatusChanged,
    ],
    when: [
      only(githubPush, (push) => !push.deleted && push.ref.startsWith('refs/heads/')),
      only(buildStatusChanged, (change) => change.to !== 'pending'),
    ],
    effect: 'outside',
    batch: 10,
    concurrency: 5,
    attempts: 5,
    timeout: 10,
    emits: [approvalRequested, qualityGateEvaluated, rollbackDecided],
  },
  {
    subscriber: 'resume-workflow',
    kind: 'function',
    types: [approvalDecided],
    effect: 'outside',
    batch: 10,
    concurrency: 2,
    attempts: 5,
    timeout: 10,
    emits: [],
  },
  {
    subscriber: 'track-run',
    kind: 'function',
    types: [workflowStarted, workflowSucceeded, workflowFailed],
    effect: 'state',
    batch: 10,
    concurrency: 5,
    attempts: 5,
    timeout: 10,
    emits: [],
  },
  {
    subscriber: 'track-repository',
    kind: 'function',
    types: [repositoryUpdated],
    effect: 'state',
    ordered: true,
    batch: 10,
    concurrency: 5,
    attempts: 5,
    timeout: 10,
    emits: [],
  },
  {
    subscriber: 'notify',
    kind: 'function',
    types: [
      approvalRequested,
      buildStatusChanged,
      circuitClosed,
      circuitOpened,
      deploymentFailed,
      eventDeadLettered,
      eventRedriven,
      meshValidated,
      replayCompleted,
      rollbackDecided,
      workflowFailed,
    ],
    when: [
      only(buildStatusChanged, (change) => change.to === 'failing'),
      only(eventRedriven, (redriven) => 'job' in redriven && redriven.stopped !== undefined),
      only(meshValidated, (validation) => validation.worse.length > 0),
      only(replayCompleted, (replay) => replay.state === 'stopped'),
    ],
    effect: 'outside',
    batch: 10,
    concurrency: 2,
    attempts: 8,
    timeout: 10,
    emits: [],
  },
  {
    subscriber: 'publish',
    kind: 'function',
    types: [
      approvalDecided,
      buildStatusChanged,
      qualityGateEvaluated,
      repositoryAnalyzed,
      repositoryUpdated,
      rollbackDecided,
      workflowFailed,
      workflowSucceeded,
    ],
    effect: 'outside',
    batch: 10,
    concurrency: 5,
    attempts: 8,
    timeout: 10,
    emits: [],
  },
  {
    subscriber: 'redrive',
    kind: 'workflow',
    types: [redriveRequested],
    effect: 'outside',
    batch: 1,
    concurrency: 2,
    attempts: 8,
    timeout: 10,
    emits: [],
    unpausable: 'it sends what other subscribers have parked when they are resumed',
  },
  {
    subscriber: 'replay',
    kind: 'workflow',
    types: [replayRequested],
    effect: 'outside',
    batch: 1,
    concurrency: 2,
    attempts: 8,
    timeout: 10,
    emits: [],
    unpausable: 'a rebuild runs while the subscriber that it is for is paused, and resumes it',
  },
] as const satisfies readonly Route[]

export type Subscriber = (typeof routes)[number]['subscriber']

export type RouteTo<Name extends Subscriber> = Extract<(typeof routes)[number], { subscriber: Name }>

export function routeTo<Name extends Subscriber>(name: Name): RouteTo<Name>
export function routeTo(name: string): Route | undefined {
  return routes.find((route) => route.subscriber === name)
}

/** Producers of our types that are no subscribers: commands, the sweep, Step Functions. */
export const producers: Readonly<Record<string, readonly EventType[]>> = {
  'POST /v1/quarantine/redrive': [quarantineReleased],
  'POST /v1/quarantine/{digest}/redrive': [quarantineReleased],
  'POST /v1/quarantine/{digest}/edit': [quarantineReleased],
  'POST /v1/quarantine/{digest}/drop': [quarantineDropped],
  'POST /v1/repositories': [repositoryUpdated],
  'POST /v1/approvals/{approval}/decision': [approvalDecided],
  'Step Functions status events': [workflowStarted, workflowSucceeded, workflowFailed],
  'functions/sweep': [
    approvalDecided,
    eventDeadLettered,
    circuitClosed,
    subscriberResumed,
    redriveRequested,
    replayCompleted,
  ],
  'the functions of subscribers': [circuitOpened, circuitClosed, redriveRequested],
  'POST /v1/subscribers/{subscriber}/pause': [subscriberPaused],
  'POST /v1/subscribers/{subscriber}/resume': [subscriberResumed, circuitClosed, redriveRequested],
  'POST /v1/dead-letters/redrive': [redriveRequested],
  'POST /v1/dead-letters/drop': [deliveryDropped],
  'POST /v1/dead-letters/{id}/redrive': [eventRedriven],
  'POST /v1/dead-letters/{id}/edit': [deliveryEdited],
  'POST /v1/dead-letters/{id}/drop': [deliveryDropped],
  'POST /v1/jobs/{job}/pause': [jobChanged],
  'POST /v1/jobs/{job}/resume': [jobChanged],
  'POST /v1/jobs/{job}/stop': [jobChanged, eventRedriven, replayCompleted],
  'POST /v1/balance/mend': [booksMended],
  'functions/redrive-batch': [eventRedriven],
  'functions/validate-mesh': [meshValidated],
  'POST /v1/replays': [replayRequested],
  'POST /v1/rebuilds': [replayRequested],
  'functions/replay-batch': [
    replayCompleted,
    subscriberPaused,
    subscriberResumed,
    circuitClosed,
    redriveRequested,
  ],
}
