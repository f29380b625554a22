import { consume } from '../../adapters/lambda/consume.ts'
import { plainMemoryPort, workflowsPort } from '../../adapters/lambda/ports.ts'
import { approvalOf, approvalRecord } from '../../core/approval.ts'
import { Failure } from '../../core/errors.ts'
import { routeTo } from '../../events/routes.ts'

/** approval.decided -> the answer to the task that waits for it. A run that is over waits no more, and that is fine. */
export const handler = consume(routeTo('resume-workflow'), () => {
  const [memory, workflows] = [plainMemoryPort(), workflowsPort()]
  return async ({ event, data }) => {
    const approval = approvalOf(await memory.get(approvalRecord(event.project, data.approval)))
    if (approval === undefined) throw new Failure('NotFound', `there is no approval ${data.approval}`)
    const { decision, by, comment } = data
    await workflows.succeedTask(approval.token, {
      decision,
      by,
      ...(comment === undefined ? {} : { comment }),
    })
    return []
  }
})
