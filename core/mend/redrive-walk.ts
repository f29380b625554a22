import type { Job } from '../job/job.ts'
import { noteProgress } from '../job/job-batch.ts'
import type { DeliveryKey, OpenMark } from '../ports.ts'
import { added, type Progress, progressOf, type RedriveDeps, redriveSelection } from './redrive-progress.ts'
import { type Chosen, type chooser, nextMarks } from './selection.ts'

export type Planned = { job: Job; chosen: readonly Chosen[] } | undefined
export type Choose = ReturnType<typeof chooser>

/** The next that are meant, noted before anything is done with them. */
export async function plan(
  project: string,
  job: Job,
  limit: number,
  choose: Choose,
  deps: RedriveDeps,
): Promise<Planned> {
  const { state, subscribers, since } = redriveSelection.parse(job.selection)
  const walk = { project, subscribers, state, since, before: job.asked }
  const { marks, next } = await nextMarks(walk, progressOf(job).at, limit, deps.history)
  const { chosen, unreadable } = await choose(marks)
  const noted = await noteProgress(project, job, deps.memory, (now) =>
    now.state !== 'running'
      ? now
      : {
          ...now,
          counts: added(now, { matched: chosen.length, unreadable: unreadable.length }),
          progress: { ...progressOf(now), at: next, walked: next === undefined, pending: keysOf(chosen) },
        },
  )
  return noted && { job: noted, chosen }
}

/** What a batch that crashed had noted: some of it may have gone out, and is not sent again. */
export async function planAgain(
  project: string,
  job: Job,
  choose: Choose,
  deps: RedriveDeps,
): Promise<Planned> {
  const { state } = redriveSelection.parse(job.selection)
  const { pending } = progressOf(job)
  const { open, dropped } = await stillOpen(project, pending, state, job.asked, deps)
  const { chosen, unreadable: unread } = await choose(open)
  const unreadable = unread.length
  const noted = await noteProgress(project, job, deps.memory, (now) => ({
    ...now,
    counts: added(now, {
      sent: pending.length - chosen.length - dropped - unreadable,
      already: dropped,
      unreadable,
    }),
    progress: { ...progressOf(now), pending: keysOf(chosen) },
  }))
  return noted && { job: noted, chosen }
}

export const keysOf = (chosen: readonly Chosen[]) =>
  chosen.map(({ mark: { source, id, subscriber, replay } }) => ({ source, id, subscriber, replay }))

/** Of what a crashed batch was about to send: what it had not come to, and how many somebody has dropped meanwhile. */
async function stillOpen(
  project: string,
  pending: Progress['pending'],
  state: 'dead' | 'parked',
  asked: string,
  { history }: RedriveDeps,
): Promise<{ open: OpenMark[]; dropped: number }> {
  const keys = pending.map((key): DeliveryKey => ({ ...key, project }))
  const deliveries = await history.getDeliveries(keys)
  const open = keys.flatMap((key, index): OpenMark[] => {
    const delivery = deliveries[index]
    return delivery?.state === state && delivery.changed <= asked
      ? [{ ...key, state, changed: delivery.changed }]
      : []
  })
  return { open, dropped: deliveries.filter((delivery) => delivery?.state === 'dropped').length }
}
