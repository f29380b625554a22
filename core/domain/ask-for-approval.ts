import * as z from 'zod'
import { Failure } from '../errors.ts'
import { outboxItems } from '../event/outbox.ts'
import { cause, workflowInput } from '../frame.ts'
import { uuid5 } from '../identity.ts'
import type { Clock, Memory, Workflows } from '../ports.ts'
import { after, minute } from '../time.ts'
import { answerOf, approvalOf, approvalRecord, request } from './approval.ts'

/** What a workflow's step hands over to have a person asked. */
export const approvalTask = z.object({
  /** answers for the task that waits */
  token: z.string(),
  /** the state, with the item's index where it is entered for several: one approval for each */
  step: z.string(),
  approval: z.object({ question: z.string(), expiresInMinutes: z.number().int().min(1) }),
  input: workflowInput,
})
export type ApprovalTask = z.infer<typeof approvalTask>

export type AskDeps = {
  memory: Pick<Memory, 'get' | 'commit'>
  workflows: Pick<Workflows, 'succeedTask'>
  clock: Clock
}

/**
 * Asks a person, once for each step of a run: a task that is tried again only changes the token, and one whose question
 * was answered meanwhile is answered at once. Returns the approval's id.
 * @throws Failure Busy when somebody changed the approval at the same time.
 */
export async function askForApproval(task: ApprovalTask, deps: AskDeps): Promise<string> {
  const { token, step, input } = task
  const { workflow, run, event } = input
  const { project } = event
  const approval = uuid5([project, workflow, run, step].join('\n'))
  const record = await deps.memory.get(approvalRecord(project, approval))
  const state = approvalOf(record)
  const answer = state && answerOf(state)
  if (answer !== undefined) {
    await deps.workflows.succeedTask(token, answer)
    return approval
  }
  const requestedFor = cause.parse(event)
  const expires = after(deps.clock(), task.approval.expiresInMinutes * minute)
  const { question } = task.approval
  const change = request(project, { approval, workflow, run, question, expires, requestedFor, token }, record)
  if (change === undefined) return approval
  // one event causes several approvals, by its gates and by its runs, and each request is an event of its own
  const author = { project, by: workflow, actor: 'system', replay: input.replay, cause: requestedFor }
  const outbox = outboxItems(change, { ...author, step: approval })
  const verdict = await deps.memory.commit({ writes: change.writes, outbox })
  if (verdict !== 'committed') throw new Failure('Busy', `approval ${approval} was changed at the same time`)
  return approval
}
