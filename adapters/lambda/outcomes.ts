import { reasonForLogs } from '../../core/errors.ts'
import type { Outcome } from '../../core/gate/record.ts'
import { type Line, tell } from './telemetry.ts'

/** In one line: the rest is counted. */
const mostTroubles = 20

type Told = {
  stage: string
  began: number
  detail?: Line['detail']
  /** requests that were turned away for who sent them, so that nobody looked at what they carried */
  denied?: number
}

/** Tells in one line what the gate did with a batch. */
export function tellOutcomes(
  outcomes: readonly Outcome[],
  context: { functionName: string; functionVersion: string; awsRequestId: string },
  { stage, began, detail, denied = 0 }: Told,
): void {
  const count = (...statuses: Outcome['status'][]) =>
    outcomes.filter(({ status }) => statuses.includes(status)).length
  const counts = {
    Recorded: count('recorded', 'duplicate'),
    Known: count('known'),
    Refused: count('refused'),
    Quarantined: count('quarantined'),
    Unavailable: count('unavailable'),
    Denied: denied,
  }
  const { Recorded, Known, ...rejected } = counts
  // what came by a queue and is in conflict is among the quarantined
  const refusedConflicts = count('conflict')
  const troubles = outcomes.flatMap(troubleOf)
  const more = troubles.length - mostTroubles
  tell(
    {
      function: context.functionName,
      metrics: {
        ...counts,
        Conflicts: refusedConflicts + outcomes.filter(isQuarantinedConflict).length,
        Accepted: Recorded + Known,
        Rejected: Object.values(rejected).reduce((sum, one) => sum + one, refusedConflicts),
        DurationMs: Date.now() - began,
      },
      also: byFunction(context),
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

/** By function, which is by door; and by version, where it is deployed by versions: an entering one is held against the rest. */
function byFunction({ functionName, functionVersion }: { functionName: string; functionVersion: string }) {
  const metrics = ['Accepted', 'Rejected']
  const all = { dimensions: { function: functionName }, metrics }
  const own = { dimensions: { function: functionName, version: functionVersion }, metrics }
  return /^\d+$/.test(functionVersion) ? [all, own] : [all]
}

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
