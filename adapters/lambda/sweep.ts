import type { Context } from 'aws-lambda'
import { reasonForLogs } from '../../core/errors.ts'
import type { SweepDeps, Swept } from '../../core/sweep/sweep.ts'
import { type Doors, projectsToSweep, sweepProjects } from '../../core/sweep/sweep-projects.ts'
import { tellOpen, tellSwept } from './swept.ts'
import { tell } from './telemetry.ts'

export type SweepPorts = SweepDeps & { doors: Doors; stage: string }

/** Of the function's 55: the rest is for what has been begun. */
const secondsInAll = 40

/** One pass of the sweep over every project: mends what was lost between two steps, and counts what is open. */
export const sweepAll =
  (ports: SweepPorts) =>
  async (_event: unknown, context: Context): Promise<void> => {
    const began = Date.now()
    const { doors, stage } = ports
    const { names, failures } = await projectsToSweep(doors, ports)
    const left = new Set(names)
    const passes: Swept[] = []
    for await (const result of sweepProjects(names, ports, secondsInAll)) {
      left.delete(result.swept.project)
      passes.push(result.swept)
      tellSwept(result, context, { stage, began })
    }
    tellOpen(passes, context, { stage, began })
    if (failures.length === 0 && left.size === 0) return
    tell(
      {
        function: context.functionName,
        metrics: { SweepFailures: failures.length, ProjectsLeft: left.size },
        level: failures.length > 0 ? 'ERROR' : 'WARN',
        detail: { failures: failures.map(reasonForLogs), left: [...left] },
      },
      { awsRequestId: context.awsRequestId, stage, now: began },
    )
  }
