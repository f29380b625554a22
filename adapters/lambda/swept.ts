import { reasonForLogs } from '../../core/errors.ts'
import type { OpenState } from '../../core/ports.ts'
import type { SweepResult, Swept } from '../../core/sweep/sweep.ts'
import { tell } from './telemetry.ts'

type Invoked = { functionName: string; awsRequestId: string }
type Pass = { stage: string; began: number }

/**
 * Tells what the sweep did in one project. A count of zero is no metric: each that is sent in an hour costs money, and
 * the alarms take nothing for zero.
 */
export function tellSwept(
  { swept, failures }: SweepResult,
  { functionName, awsRequestId }: Invoked,
  { stage, began }: Pass,
): void {
  const { project, resent, missing, behind, unreadable, lagMinutes, relayed, stayed, ...detail } = swept
  const counts = {
    Resent: resent,
    Missing: missing,
    Behind: behind,
    Unreadable: unreadable,
    TimelineLagMinutes: lagMinutes,
    Relayed: relayed,
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
      level: failures.length > 0 ? 'ERROR' : unreadable || stayed > 0 ? 'WARN' : 'INFO',
      detail: { project, ...detail, failures: failures.map(reasonForLogs) },
    },
    { awsRequestId, stage, now: began },
  )
}

/**
 * Tells what is open, a line for each subscriber: of all projects of this pass together, for a metric knows no projects
 * and shows the largest or the sum of what it is told, and neither is right for many. What a pass had no time for is
 * not in it.
 */
export function tellOpen(
  passes: readonly Pick<Swept, 'open' | 'parted'>[],
  { functionName, awsRequestId }: Invoked,
  { stage, began }: Pass,
): void {
  const about = { awsRequestId, stage, now: began }
  for (const [subscriber, { retrying, parked, dead, oldest, more }] of opened(passes)) {
    const OldestMinutes = oldest === undefined ? 0 : Math.round((Date.now() - Date.parse(oldest)) / 60_000)
    tell(
      {
        function: functionName,
        dimensions: { subscriber },
        metrics: { OpenRetrying: retrying, OpenParked: parked, OpenDead: dead, OldestMinutes },
        detail: { ...(more.size > 0 && { moreThanCounted: [...more] }) },
      },
      about,
    )
  }
  const circuits = Map.groupBy(
    passes.flatMap(({ parted }) => Object.entries(parted)),
    ([subscriber]) => subscriber,
  )
  for (const [subscriber, counts] of circuits) {
    const OpenCircuits = counts.reduce((sum, [, count]) => sum + count, 0)
    tell({ function: functionName, dimensions: { subscriber }, metrics: { OpenCircuits } }, about)
  }
}

type Opened = {
  retrying: number
  parked: number
  dead: number
  oldest: string | undefined
  more: Set<OpenState>
}

/** By subscriber, over all projects. */
function opened(passes: readonly Pick<Swept, 'open'>[]): Map<string, Opened> {
  const all = new Map<string, Opened>()
  for (const [subscriber, count] of passes.flatMap(({ open }) => Object.entries(open))) {
    const before = all.get(subscriber)
    const oldest = [before?.oldest, count.oldest].filter((time) => time !== undefined).sort()[0]
    all.set(subscriber, {
      retrying: (before?.retrying ?? 0) + count.retrying,
      parked: (before?.parked ?? 0) + count.parked,
      dead: (before?.dead ?? 0) + count.dead,
      oldest,
      more: new Set([...(before?.more ?? []), ...(count.more ?? [])]),
    })
  }
  return all
}
