import type { Context } from 'aws-lambda'
import { accountProjects, environment } from '../../adapters/environment.ts'
import { sweepPorts, webhookProjects } from '../../adapters/lambda/ports.ts'
import { tellSwept } from '../../adapters/lambda/swept.ts'
import { tell } from '../../adapters/lambda/telemetry.ts'
import { reasonOf } from '../../core/errors.ts'
import { projectsToSweep, sweepProjects } from '../../core/sweep-projects.ts'

const { STAGE, ACCOUNT_PROJECTS } = environment(['STAGE', 'ACCOUNT_PROJECTS'])
const accounts = Object.values(accountProjects(ACCOUNT_PROJECTS))
const ports = sweepPorts()

/** Of the function's 55: the rest is for what has been begun. */
const secondsInAll = 40

/** Each minute: mends what was lost between two steps, project by project, and counts what is open. */
export const handler = async (_event: unknown, context: Context): Promise<void> => {
  const began = Date.now()
  const { names, failures } = await projectsToSweep({ accounts, webhooks: webhookProjects }, ports)
  const left = new Set(names)
  for await (const result of sweepProjects(names, ports, secondsInAll)) {
    left.delete(result.swept.project)
    tellSwept(result, context, { stage: STAGE, began })
  }
  if (failures.length === 0 && left.size === 0) return
  tell(
    {
      function: context.functionName,
      metrics: { SweepFailures: failures.length, ProjectsLeft: left.size },
      level: failures.length > 0 ? 'ERROR' : 'WARN',
      detail: { failures: failures.map(reasonOf), left: [...left] },
    },
    { awsRequestId: context.awsRequestId, stage: STAGE, now: began },
  )
}
