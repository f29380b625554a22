import { redriveRequested } from '../../events/redrive.requested.ts'
import { newJob } from './job.ts'

/** Deliveries a second, when what was parked is sent. */
export const releaseRate = 50

/** A job that sends what is parked of a subscriber; to be committed with what lets it run again. */
export function releaseJob(
  { project, subscriber }: { project: string; subscriber: string },
  asked: { id: string; by: string; at: string; rate: number },
) {
  const { id, by, at, rate } = asked
  return newJob(
    project,
    {
      id,
      kind: 'redrive',
      subscriber,
      by,
      asked: at,
      rate,
      selection: { state: 'parked', subscribers: [subscriber] },
    },
    { type: redriveRequested, data: { job: id, subscriber, state: 'parked', rate } },
  )
}
