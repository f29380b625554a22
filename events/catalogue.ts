import { approvalDecided } from './approval.decided.ts'
import { approvalRequested } from './approval.requested.ts'
import { buildStatusChanged } from './build.status-changed.ts'
import { deploymentFailed } from './deployment.failed.ts'
import { eventDeadLettered } from './event.dead-lettered.ts'
import type { EventType } from './event-type.ts'
import { githubCheckSuiteCompleted } from './github.check-suite.completed.ts'
import { githubPullRequestOpened } from './github.pull-request.opened.ts'
import { githubPullRequestSynchronize } from './github.pull-request.synchronize.ts'
import { githubPush } from './github.push.ts'
import { githubWorkflowRunCompleted } from './github.workflow-run.completed.ts'
import { githubWorkflowRunInProgress } from './github.workflow-run.in-progress.ts'
import { githubWorkflowRunRequested } from './github.workflow-run.requested.ts'
import { qualityGateEvaluated } from './quality-gate.evaluated.ts'
import { repositoryAnalyzed } from './repository.analyzed.ts'
import { repositoryUpdated } from './repository.updated.ts'
import { repositoryValidationRequested } from './repository.validation-requested.ts'
import { rollbackDecided } from './rollback.decided.ts'
import { testCompleted } from './test.completed.ts'
import { workflowFailed } from './workflow.failed.ts'
import { workflowStarted } from './workflow.started.ts'
import { workflowSucceeded } from './workflow.succeeded.ts'

/** Every declared event type. A test fails when a file of this folder is missing here. */
export const eventTypes: readonly EventType[] = [
  approvalDecided,
  approvalRequested,
  buildStatusChanged,
  deploymentFailed,
  eventDeadLettered,
  githubCheckSuiteCompleted,
  githubPullRequestOpened,
  githubPullRequestSynchronize,
  githubPush,
  githubWorkflowRunCompleted,
  githubWorkflowRunInProgress,
  githubWorkflowRunRequested,
  qualityGateEvaluated,
  repositoryAnalyzed,
  repositoryUpdated,
  repositoryValidationRequested,
  rollbackDecided,
  testCompleted,
  workflowFailed,
  workflowStarted,
  workflowSucceeded,
]

const byName = new Map(eventTypes.map((declared) => [declared.type, declared]))

export const eventTypeNamed = (type: string): EventType | undefined => byName.get(type)
