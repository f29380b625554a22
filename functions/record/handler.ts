import { accountProjects, environment } from '../../adapters/environment.ts'
import { hide } from '../../adapters/lambda/hide.ts'
import { recordPorts } from '../../adapters/lambda/ports.ts'
import { recordQueue } from '../../adapters/lambda/record.ts'

const { STAGE, ACCOUNT_PROJECTS } = environment(['STAGE', 'ACCOUNT_PROJECTS'])

/** The record queue: what came by PutEvents, what handlers and workflows emit, what AWS tells of executions. */
export const handler = recordQueue({
  ...recordPorts(),
  accounts: accountProjects(ACCOUNT_PROJECTS),
  hide,
  stage: STAGE,
})
