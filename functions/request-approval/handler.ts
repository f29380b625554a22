import { connect } from '../../adapters/aws/clients.ts'
import { dynamoMemory } from '../../adapters/aws/memory.ts'
import { stepFunctions } from '../../adapters/aws/workflows.ts'
import { environment } from '../../adapters/environment.ts'
import { task } from '../../adapters/lambda/task.ts'
import { approvalTask, askForApproval } from '../../core/ask-for-approval.ts'

const { MEMORY_TABLE, STATE_MACHINE_PREFIX } = environment(['MEMORY_TABLE', 'STATE_MACHINE_PREFIX'])
const aws = connect()
const clock = () => new Date().toISOString()
const memory = dynamoMemory({ aws, table: MEMORY_TABLE, clock })
const workflows = stepFunctions({ aws, prefix: STATE_MACHINE_PREFIX })

/** A gate of a run wants an approval -> the question is asked; the run waits on the token. */
export const handler = task('request-approval', approvalTask, (asked) =>
  askForApproval(asked, { memory, workflows, clock }),
)
