import { commitDecision } from '../commit-decision.ts'
import { Failure } from '../errors.ts'
import { outboxItems } from '../event/outbox.ts'
import type { Clock, Memory, MemoryRecord, Workflows } from '../ports.ts'
import { type AnswerApproval, answer, answerOf, approvalOf, approvalRecord } from './approval.ts'

type Said = Omit<Extract<AnswerApproval, { by: string }>, 'by' | 'now'>

/**
 * Somebody approves or denies: the decision and the event that tells of it are one commit. Answers the record as it is
 * then.
 * @throws Failure NotFound, Conflict, ApprovalExpired, Busy
 */
export async function answerApproval(
  { project, approval }: { project: string; approval: string },
  said: Said,
  actor: string,
  { memory, clock }: { memory: Pick<Memory, 'get' | 'commit'>; clock: Clock },
): Promise<MemoryRecord | undefined> {
  const key = approvalRecord(project, approval)
  const decided = await commitDecision(
    (change) => memory.commit(change),
    'the approval',
    async () => {
      const record = await memory.get(key)
      const change = answer(project, { ...said, by: actor, now: clock() }, record)
      // one story may ask twice, and what both answers cause must not have one id: `by` is part of it
      const by = `api/approvals/${key.name}`
      const cause = approvalOf(record)?.requestedFor
      const outbox = outboxItems(change, { project, by, actor, ...(cause === undefined ? {} : { cause }) })
      return { change: { writes: change.writes, outbox }, answer: change.writes[0] }
    },
  )
  return decided.answer
}

/**
 * Tells the task that waits what was decided: as it is written down, for what an event says anybody may say who mends
 * deliveries. A run that is over waits no more, and that is fine.
 * @throws Failure NotFound, Conflict
 */
export async function tellRun(
  { project, approval }: { project: string; approval: string },
  { memory, workflows }: { memory: Pick<Memory, 'get'>; workflows: Pick<Workflows, 'succeedTask'> },
): Promise<void> {
  const state = approvalOf(await memory.get(approvalRecord(project, approval)))
  if (state === undefined) throw new Failure('NotFound', `there is no approval ${approval}`)
  const given = answerOf(state)
  if (given === undefined) throw new Failure('Conflict', `approval ${approval} is not decided`)
  await workflows.succeedTask(state.token, given)
}
