import * as z from 'zod'
import type { EventType } from '../../events/event-type.ts'
import { workflowFailed } from '../../events/workflow.failed.ts'
import { workflowStarted } from '../../events/workflow.started.ts'
import { workflowSucceeded } from '../../events/workflow.succeeded.ts'
import type { Fault } from '../errors.ts'
import { type WorkflowInput, workflowInput } from '../frame.ts'
import type { RunDescription } from '../ports.ts'
import { faultsOf } from './versions.ts'

const statuses = {
  RUNNING: { eventType: workflowStarted, error: undefined },
  SUCCEEDED: { eventType: workflowSucceeded, error: undefined },
  FAILED: { eventType: workflowFailed, error: undefined },
  TIMED_OUT: { eventType: workflowFailed, error: 'States.Timeout' },
  ABORTED: { eventType: workflowFailed, error: 'Aborted' },
} as const

/** The detail of "Step Functions Execution Status Change"; PENDING_REDRIVE and others to come are not told on. */
const statusChange = z.object({
  detail: z.object({
    executionArn: z.string(),
    stateMachineArn: z.string(),
    name: z.string(),
    status: z.enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED']),
    startDate: z.number(),
    stopDate: z.number().nullish(),
    input: z.string().nullish(),
    error: z.string().nullish(),
    cause: z.string().nullish(),
  }),
})

export type RunStatus = {
  eventType: EventType
  /** execution and status: best effort events come twice, and the sweep may tell them again */
  id: string
  data: z.infer<typeof workflowStarted.schema>
  /** what started the run; undefined when somebody started it past Loadpath */
  started: Pick<WorkflowInput, 'event' | 'replay'> | undefined
}

const withInput = z.object({ detail: z.object({ input: z.string() }) })

/** The project of the event that started the run, as far as a status event says so, however wrong it is otherwise. */
export function projectOfRun(envelope: unknown): string | undefined {
  const input = readJson(withInput.safeParse(envelope).data?.detail.input)
  return workflowInput.safeParse(input).data?.event.project
}

/** What a status event of Step Functions means to us. */
export function runStatus(envelope: unknown): RunStatus | { faults: Fault[] } {
  const parsed = statusChange.safeParse(envelope)
  if (!parsed.success) return { faults: faultsOf(parsed.error, envelope, 'event') }
  const { detail } = parsed.data
  return statusOf({
    workflow:
      detail.stateMachineArn
        .split(':')
        .at(-1)
        ?.replace(/^loadpath-[a-z0-9]+-/, '') ?? '',
    name: detail.name,
    arn: detail.executionArn,
    status: detail.status,
    started: new Date(detail.startDate).toISOString(),
    ended: typeof detail.stopDate === 'number' ? new Date(detail.stopDate).toISOString() : undefined,
    error: detail.error ?? undefined,
    cause: detail.cause ?? undefined,
    input: readJson(detail.input),
  })
}

/** The same from a description of the execution, for ends that nobody told us of. */
export function statusOf(run: RunDescription): RunStatus {
  const { eventType, error } = statuses[run.status]
  const input = workflowInput.safeParse(run.input)
  const failure = run.error ?? error
  return {
    eventType,
    id: `${run.workflow}/${run.name}/${run.status}`,
    data: {
      workflow: run.workflow,
      run: run.name,
      arn: run.arn,
      started: run.started,
      ...(run.status === 'RUNNING' || run.ended === undefined ? {} : { ended: run.ended }),
      ...(failure === undefined ? {} : { error: failure }),
      ...(run.cause === undefined ? {} : { cause: run.cause.slice(0, 2000) }),
    },
    started: input.data,
  }
}

function readJson(text: string | null | undefined): unknown {
  if (!text) return undefined
  try {
    return JSON.parse(text)
  } catch {
    // a run that somebody started by hand may have any input; it is then a story of its own
    return undefined
  }
}
