import { answerApproval } from '../../core/domain/answer-approval.ts'
import { type Approval, approvalOf } from '../../core/domain/approval.ts'
import type { Chance } from './chance.ts'
import { eventsOf, type Held, marksOf, type Wrong } from './held.ts'
import type { Observed } from './observed.ts'
import type { Command } from './operators.ts'

/** Somebody answers what a run asks. */
export const approvalCommand = (
  project: string,
  { chance, observed }: { chance: Chance; observed: Observed },
): Command => ({
  name: `answer an approval of ${project}`,
  async run(ports) {
    const { items } = await ports.memory.list({
      project,
      list: 'approvals/pending',
      oldestFirst: true,
      limit: 20,
    })
    const approval = items[Math.floor(chance.random() * items.length)]?.name
    if (approval === undefined) return
    const decision = chance.pick(['approved', 'denied'] as const)
    await answerApproval({ project, approval }, { decision }, 'user:op', ports)
    observed.sometimes('an approval is answered')
  },
})

/** Longer than the sweep takes to come by. */
const late = 20 * 60_000

/**
 * What was asked is decided, once, if by nobody then by its time; the run goes on by that decision, and by no other. It
 * waits in vain only where who tells it has not come to it.
 */
export function approvalsAreAnswered(held: Held): Wrong[] {
  return held.stage.stored.real.memory.all().records.flatMap((record) => {
    const state = record.kind === 'approval' ? approvalOf(record) : undefined
    const message = state && (wrongDecision(state, held) ?? wrongWait(record.project, state, held))
    return message === undefined ? [] : [{ message: `approval ${record.name} ${message}` }]
  })
}

const decisionsOf = ({ approval }: Approval, held: Held) =>
  eventsOf(held).filter(
    ({ event }) =>
      event.type === 'approval.decided' && (event.data as { approval: string }).approval === approval,
  )

function wrongDecision(state: Approval, held: Held): string | undefined {
  const { status, expires } = state
  const told = decisionsOf(state, held)
  if (status !== 'pending') {
    if (told.length !== 1) return `is ${status} and was told of ${told.length} times`
  } else if (told.length > 0) return 'is pending, and was told of as decided'
  else if (Date.parse(expires) + late < held.stage.now())
    return `could be answered until ${expires} and is pending`
  const said = told.find(({ event }) => (event.data as { decision: string }).decision !== status)
  return said && `is ${status}, and was told of as something else`
}

function wrongWait(project: string, state: Approval, held: Held): string | undefined {
  const { workflow, run, status } = state
  const waited = held.observed.waits.get(`${project} ${workflow} ${run}`)
  if (waited === undefined) return undefined
  if (waited.decision !== undefined)
    return waited.decision === status ? undefined : `is ${status}, and its run went on as ${waited.decision}`
  const ids = decisionsOf(state, held).map(({ event }) => event.id)
  const telling = marksOf(held).find(
    (mark) => mark.subscriber === 'resume-workflow' && mark.project === project && ids.includes(mark.id),
  )
  if (telling?.state !== 'done' || Date.parse(telling.changed) > waited.at) return undefined
  return `was ${status} and its run was told, and yet waited in vain`
}
