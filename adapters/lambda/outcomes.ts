import { reasonForLogs } from '../../core/errors.ts'
import type { Outcome } from '../../core/record.ts'
import { type Line, tell } from './telemetry.ts'

/** In one line: the rest is counted. */
const mostTroubles = 20

/** Tells in one line what the gate did with a batch. */
export function tellOutcomes(
  outcomes: readonly Outcome[],
  context: { functionName: string; functionVersion: string; awsRequestId: string },
  { stage, began, detail }: { stage: string; began: number; detail?: Line['detail'] },
): void {
  const count = (...statuses: Outcome['status'][]) =>
    outcomes.filter(({ status }) => statuses.includes(status)).length
  const troubles = outcomes.flatMap(troubleOf)
  const more = troubles.length - mostTroubles
  tell(
    {
      function: context.functionName,
      metrics: {
        Recorded: count('recorded', 'duplicate'),
        Known: count('known'),
        Refused: count('refused'),
        Quarantined: count('quarantined'),
        Conflicts: count('conflict') + outcomes.filter(isQuarantinedConflict).length,
        Unavailable: count('unavailable'),
        DurationMs: Date.now() - began,
      },
      also: byVersion(context),
      level: troubles.length === 0 ? 'INFO' : 'WARN',
      detail: {
        ...detail,
        ...(troubles.length === 0 ? {} : { troubles: troubles.slice(0, mostTroubles) }),
        ...(more > 0 ? { moreTroubles: more } : {}),
      },
    },
    { awsRequestId: context.awsRequestId, stage, now: began },
  )
}

/** What the alarms on a canary go by; a function that is not deployed by versions has none. */
const byVersion = ({ functionName, functionVersion }: { functionName: string; functionVersion: string }) =>
  /^\d+$/.test(functionVersion)
    ? {
        dimensions: { function: functionName, version: functionVersion },
        metrics: ['Recorded', 'Known', 'Quarantined', 'Unavailable'],
      }
    : undefined

const isQuarantinedConflict = (outcome: Outcome): boolean =>
  outcome.status === 'quarantined' && outcome.reason === 'conflict'

/** Where and what was expected, never what was found there: that may be anybody's data. */
function troubleOf(outcome: Outcome): object[] {
  switch (outcome.status) {
    case 'recorded':
    case 'known':
    case 'duplicate':
      return outcome.unsent === undefined
        ? []
        : [{ status: 'unsent', id: outcome.event.id, reason: reasonForLogs(outcome.unsent) }]
    case 'conflict':
      return [{ status: 'conflict', id: outcome.identity.id, source: outcome.identity.source }]
    case 'refused':
      return [{ status: 'refused', reason: outcome.reason, faults: placesOf(outcome.faults) }]
    case 'quarantined':
      return [
        {
          status: 'quarantined',
          reason: outcome.reason,
          digest: outcome.digest,
          faults: placesOf(outcome.faults),
        },
      ]
    case 'unavailable':
      return [{ status: 'unavailable', reason: reasonForLogs(outcome.error) }]
    default:
      return outcome satisfies never
  }
}

const placesOf = (faults: readonly { path: string; expected: string }[]) =>
  faults.slice(0, 5).map(({ path, expected }) => `${path}: expected ${expected}`)
