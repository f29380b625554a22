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
import { subscriberPaused } from './subscriber.paused.ts'
import { subscriberResumed } from './subscriber.resumed.ts'
import { testCompleted } from './test.completed.ts'
import { workflowFailed } from './workflow.failed.ts'
import { workflowStarted } from './workflow.started.ts'
import { workflowSucceeded } from './workflow.succeeded.ts'

/** Every declared event type. A test fails when a file of this folder is missing here. */
export const eventTypes: readonly EventType[] = [
  approvalDecided,
  approvalRequested,
  booksMended,
  buildStatusChanged,
  circuitClosed,
  circuitOpened,
  deliveryDropped,
  deliveryEdited,
  deploymentFailed,
  eventDeadLettered,
  eventRedriven,
  githubCheckSuiteCompleted,
  githubPullRequestOpened,
  githubPullRequestSynchronize,
  githubPush,
  githubWorkflowRunCompleted,
  githubWorkflowRunInProgress,
  githubWorkflowRunRequested,
  jobChanged,
  meshValidated,
  qualityGateEvaluated,
  quarantineDropped,
  quarantineReleased,
  redriveRequested,
  replayCompleted,
  replayRequested,
  repositoryAnalyzed,
  repositoryUpdated,
  repositoryValidationRequested,
  rollbackDecided,
  subscriberPaused,
  subscriberResumed,
  testCompleted,
  workflowFailed,
  workflowStarted,
  workflowSucceeded,
]

const byName = new Map(eventTypes.map((declared) => [declared.type, declared]))

export const eventTypeNamed = (type: string): EventType | undefined => byName.get(type)
