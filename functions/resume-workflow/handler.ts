import { consume } from '../../adapters/lambda/consume.ts'
import { plainMemoryPort, workflowsPort } from '../../adapters/lambda/ports.ts'
import { answerOf, approvalOf, approvalRecord } from '../../core/domain/approval.ts'
import { Failure } from '../../core/errors.ts'
import { routeTo } from '../../events/routes.ts'

/**
 * approval.decided -> the answer to the task that waits for it: as it is written down, for what an event says anybody
 * may say who mends deliveries. A run that is over waits no more, and that is fine.
 */
export const handler = consume(routeTo('resume-workflow'), () => {
  const [memory, workflows] = [plainMemoryPort(), workflowsPort()]
  return async ({ event, data }) => {
    const approval = approvalOf(await memory.get(approvalRecord(event.project, data.approval)))
    if (approval === undefined) throw new Failure('NotFound', `there is no approval ${data.approval}`)
    const answer = answerOf(approval)
    if (answer === undefined) throw new Failure('Conflict', `approval ${data.approval} is not decided`)
    await workflows.succeedTask(approval.token, answer)
    return []
  }
})
