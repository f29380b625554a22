import * as z from 'zod'
import { approvalDecided } from '../../events/approval.decided.ts'
import { approvalRequested } from '../../events/approval.requested.ts'
import { Failure } from '../errors.ts'
import type { Change } from '../event/handler.ts'
import { cause } from '../frame.ts'
import type { ListPlace, MemoryRecord, RecordKey } from '../ports.ts'

/** The aggregate `approval`: a question that a run waits on, and its one answer. */
const asked = z.object({
  approval: z.string(),
  workflow: z.string(),
  run: z.string(),
  question: z.string(),
  /** ISO 8601; an answer after it comes too late */
  expires: z.iso.datetime(),
  /** the event whose handling asks, so that the answer belongs to the same story */
  requestedFor: cause,
  /** of the task that waits. It answers for the run, so it leaves this record for Step Functions only. */
  token: z.string(),
})

const approval = z.discriminatedUnion('status', [
  asked.extend({ status: z.literal('pending') }),
  asked.extend({
    status: z.enum(['approved', 'denied', 'expired']),
    by: z.string(),
    comment: z.string().optional(),
    decided: z.iso.datetime(),
  }),
])
export type Approval = z.infer<typeof approval>

export type RequestApproval = z.infer<typeof asked>

/** `now`: ISO 8601. Somebody approves or denies; the sweep lets expire. */
export type AnswerApproval =
  | { decision: 'approved' | 'denied'; by: string; comment?: string | undefined; now: string }
  | { decision: 'expired'; now: string }

/** What the waiting task is answered with. */
export type Answer = { decision: 'approved' | 'denied' | 'expired'; by: string; comment?: string }

export const approvalRecord = (project: string, approval: string): RecordKey => ({
  project,
  kind: 'approval',
  name: approval,
})

/** @throws ZodError when the record was written by something else */
export const approvalOf = (record: MemoryRecord | undefined): Approval | undefined =>
  record && approval.parse(record.value)

/** What anybody who may see approvals sees: all but the token. */
export function publicView(state: Approval): Omit<Approval, 'token'> {
  const { token: _, ...view } = state
  return view
}

/** The answer that was given; undefined while it is pending. */
export const answerOf = (state: Approval): Answer | undefined =>
  state.status === 'pending'
    ? undefined
    : {
        decision: state.status,
        by: state.by,
        ...(state.comment === undefined ? {} : { comment: state.comment }),
      }

const isOver = (state: Approval, now: string): boolean => Date.parse(now) > Date.parse(state.expires)

/**
 * Asks. A step that is tried again asks the same with a new token: that takes the old one's place and nobody
 * is asked twice. Undefined when there is nothing to change: asked with this token already, or answered
 * (see answerOf: then the task is to be answered at once).
 */
export function request(
  project: string,
  command: RequestApproval,
  record: MemoryRecord | undefined,
): Change<typeof approvalRequested> | undefined {
  const state = approvalOf(record)
  if (state !== undefined && (state.status !== 'pending' || state.token === command.token)) return undefined
  const pending: Approval =
    state === undefined ? { ...command, status: 'pending' } : { ...state, token: command.token }
  const { approval, workflow, run, question, expires } = pending
  return {
    writes: [write(project, pending, record)],
    emits:
      state === undefined
        ? [{ type: approvalRequested, data: { approval, workflow, run, question, expires } }]
        : [],
    sequence: 1,
  }
}

/**
 * Answers, once.
 * @throws Failure NotFound; Conflict when it is answered already, or lets expire what has time left;
 * ApprovalExpired when the answer comes too late.
 */
export function answer(
  project: string,
  command: AnswerApproval,
  record: MemoryRecord | undefined,
): Change<typeof approvalDecided> {
  const state = approvalOf(record)
  if (state === undefined) throw new Failure('NotFound', 'there is no such approval')
  if (state.status !== 'pending')
    throw new Failure('Conflict', `it was ${state.status} by ${state.by} at ${state.decided}`)
  if (command.decision === 'expired' && !isOver(state, command.now))
    throw new Failure('Conflict', `it does not expire before ${state.expires}`)
  if (command.decision !== 'expired' && isOver(state, command.now))
    throw new Failure('ApprovalExpired', `it could be answered until ${state.expires}`)
  const by = command.decision === 'expired' ? 'system' : command.by
  const comment =
    command.decision === 'expired' || command.comment === undefined ? {} : { comment: command.comment }
  const decided: Approval = { ...state, status: command.decision, by, ...comment, decided: command.now }
  return {
    writes: [write(project, decided, record)],
    emits: [
      {
        type: approvalDecided,
        data: { approval: state.approval, decision: command.decision, by, ...comment },
      },
    ],
    sequence: 2,
  }
}

const write = (project: string, state: Approval, record: MemoryRecord | undefined) => ({
  ...approvalRecord(project, state.approval),
  version: (record?.version ?? 0) + 1,
  value: state,
  place: place(state),
})

const place = (state: Approval): ListPlace =>
  state.status === 'pending'
    ? { list: 'approvals/pending', order: new Date(state.expires).toISOString() }
    : { list: 'approvals/decided', order: new Date(state.decided).toISOString() }
