import type { Context } from 'aws-lambda'
import { accountProjects, environment } from '../../adapters/environment.ts'
import { sweepPorts } from '../../adapters/lambda/ports.ts'
import { tell } from '../../adapters/lambda/telemetry.ts'
import { projects } from '../../core/access.ts'
import { reasonOf } from '../../core/errors.ts'
import { type Swept, sweep } from '../../core/sweep.ts'

const { STAGE, ACCOUNT_PROJECTS } = environment(['STAGE', 'ACCOUNT_PROJECTS'])
const ports = sweepPorts()

/** Of the function's 55: the rest is for what has been begun. */
const secondsInAll = 40

/** Each minute: mends what was lost between two steps, project by project, and counts what is open. */
export const handler = async (_event: unknown, context: Context): Promise<void> => {
  const began = Date.now()
  const names = new Set([
    'main',
    ...Object.values(accountProjects(ACCOUNT_PROJECTS)),
    ...(await projects(ports.memory)),
  ])
  for (const project of names) {
    const { swept, failures } = await sweep(project, ports, secondsInAll / names.size)
    const level = failures.length === 0 ? 'INFO' : 'ERROR'
    const { resent, behind, ended, expired, told, stayed } = swept
    const told1 = {
      metrics: { Resent: resent, Behind: behind, Stayed: stayed, DurationMs: Date.now() - began },
    }
    const detail = { project, ended, expired, told, failures: failures.map(reasonOf) }
    tell({ function: context.functionName, ...told1, level, detail }, contextOf(context, began))
    for (const line of openLines(swept))
      tell({ function: context.functionName, ...line }, contextOf(context, began))
  }
}

const contextOf = ({ awsRequestId }: Context, began: number) => ({ awsRequestId, stage: STAGE, now: began })

/** A line for each subscriber with something open; the alarms go by these. */
const openLines = ({ project, open }: Swept) =>
  Object.entries(open).map(([subscriber, { retrying, parked, dead, oldest }]) => ({
    dimensions: { subscriber },
    metrics: {
      OpenRetrying: retrying,
      OpenParked: parked,
      OpenDead: dead,
      OldestMinutes: oldest === undefined ? 0 : Math.round((Date.now() - Date.parse(oldest)) / 60_000),
    },
    detail: { project },
  }))
