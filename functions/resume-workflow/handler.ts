import { consume } from '../../adapters/lambda/consume.ts'
import { plainMemoryPort, workflowsPort } from '../../adapters/lambda/ports.ts'
import { tellRun } from '../../core/domain/answer-approval.ts'
import { routeTo } from '../../events/routes.ts'

/** approval.decided -> the answer to the task that waits for it. */
export const handler = consume(routeTo('resume-workflow'), () => {
  const ports = { memory: plainMemoryPort(), workflows: workflowsPort() }
  return async ({ event: { project }, data: { approval } }) => {
    await tellRun({ project, approval }, ports)
    return []
  }
})
