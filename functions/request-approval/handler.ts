import { clock, plainMemoryPort, workflowsPort } from '../../adapters/lambda/ports.ts'
import { task } from '../../adapters/lambda/task.ts'
import { approvalTask, askForApproval } from '../../core/domain/ask-for-approval.ts'

const ports = { memory: plainMemoryPort(), workflows: workflowsPort(), clock }

/** A gate of a run wants an approval -> the question is asked; the run waits on the token. */
export const handler = task('request-approval', approvalTask, (asked) => askForApproval(asked, ports))
