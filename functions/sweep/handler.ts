import { accountProjects, environment } from '../../adapters/environment.ts'
import { sweepPorts, webhookProjects } from '../../adapters/lambda/ports.ts'
import { sweepAll } from '../../adapters/lambda/sweep.ts'

const { STAGE, ACCOUNT_PROJECTS } = environment(['STAGE', 'ACCOUNT_PROJECTS'])
const accounts = Object.values(accountProjects(ACCOUNT_PROJECTS))

/** Each minute: mends what was lost between two steps, project by project, and counts what is open. */
export const handler = sweepAll({
  ...sweepPorts(),
  doors: { accounts, webhooks: webhookProjects },
  stage: STAGE,
})
