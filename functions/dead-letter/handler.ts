import { accountProjects, environment } from '../../adapters/environment.ts'
import { deadLetterQueue } from '../../adapters/lambda/dead-letter.ts'
import { lanesPort, recordPorts } from '../../adapters/lambda/ports.ts'

const { STAGE, ACCOUNT_PROJECTS } = environment(['STAGE', 'ACCOUNT_PROJECTS'])

/** The dead letter queues: each letter becomes a dead mark or a quarantine entry, where a person finds it. */
export const handler = deadLetterQueue({
  ...recordPorts(),
  lanes: lanesPort(),
  accounts: accountProjects(ACCOUNT_PROJECTS),
  stage: STAGE,
})
