import { reasonOf } from '../../core/errors.ts'
import type { SweepResult } from '../../core/sweep.ts'
import { tell } from './telemetry.ts'

/**
 * Tells what the sweep did in one project, and a line for each subscriber with something open. A count of zero is no
 * metric: each that is sent in an hour costs money, and the alarms take nothing for zero.
 */
export function tellSwept(
  { swept, failures }: SweepResult,
  { functionName, awsRequestId }: { functionName: string; awsRequestId: string },
  { stage, began }: { stage: string; began: number },
): void {
  const about = { awsRequestId, stage, now: began }
  const { project, open, parted, resent, missing, behind, unreadable, lagMinutes, stayed, ...detail } = swept
  const counts = {
    Resent: resent,
    Missing: missing,
    Behind: behind,
    Unreadable: unreadable,
    TimelineLagMinutes: lagMinutes,
    Stayed: stayed,
    SweepFailures: failures.length,
  }
  const metrics = Object.fromEntries(
    Object.entries(counts).flatMap(([name, count = 0]): [string, number][] =>
      count === 0 ? [] : [[name, count]],
    ),
  )
  tell(
    {
      function: functionName,
      metrics: { ...metrics, DurationMs: Date.now() - began },
      level: failures.length > 0 ? 'ERROR' : unreadable ? 'WARN' : 'INFO',
      detail: { project, ...detail, failures: failures.map(reasonOf) },
    },
    about,
  )
  for (const [subscriber, { retrying, parked, dead, oldest, more }] of Object.entries(open)) {
    const OldestMinutes = oldest === undefined ? 0 : Math.round((Date.now() - Date.parse(oldest)) / 60_000)
    tell(
      {
        function: functionName,
        dimensions: { subscriber },
        metrics: { OpenRetrying: retrying, OpenParked: parked, OpenDead: dead, OldestMinutes },
        detail: { project, ...(more && { moreThanCounted: more }) },
      },
      about,
    )
  }
  for (const [subscriber, OpenCircuits] of Object.entries(parted))
    tell(
      { function: functionName, dimensions: { subscriber }, metrics: { OpenCircuits }, detail: { project } },
      about,
    )
}
