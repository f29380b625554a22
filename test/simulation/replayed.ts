import { replayAsked } from '../../core/replay/replay-job.ts'
import { isSelected } from './asked.ts'
import { type Held, jobsIn, marksOf, routeOf, type Wrong } from './held.ts'
import { deliveryText, textOfEvent } from './observed.ts'

/** What must hold of what is handled or started once more. */

/** A replay or a rebuild hands over what it was asked for, to whom it was asked for, and what had been received then. */
export function replaysComeToNoOther(held: Held): Wrong[] {
  const { observed, stage } = held
  const jobs = new Map(jobsIn(held).map(({ project, job }) => [job.id, { project, job }]))
  return marksOf(held).flatMap((mark): Wrong[] => {
    const { project, job } = jobs.get(mark.replay) ?? {}
    const { stored } = observed.events.get(textOfEvent(mark)) ?? {}
    if (job === undefined || stored === undefined) return []
    const isOf = mark.project === project && mark.subscriber === job.subscriber
    // a rebuild comes to what was recorded since, when its subscriber is paused
    const received = Date.parse(stored.event.received)
    const isKnown = job.kind === 'rebuild' || received < Date.parse(job.asked) + 2 * stage.skew + 1000
    if (isOf && isKnown && isSelected(stored.event, replayAsked.parse(job.selection))) return []
    const asked = `${JSON.stringify(job.selection)} for ${job.subscriber} at ${job.asked}, and was received at ${stored.event.received}`
    return [{ message: `${deliveryText(mark)} is of a ${job.kind} that was asked for ${asked}`, id: mark.id }]
  })
}

/** What a workflow has done is a run, under the name that the delivery says; one that was tried again has another. */
export async function runsAreThere(held: Held): Promise<Wrong[]> {
  const { observed, stage } = held
  const isThere = async (workflow: string, name: string) =>
    (await stage.stored.workflows.describe(workflow, name)) !== undefined
  const done = marksOf(held).filter(
    ({ state, subscriber }) => state === 'done' && routeOf(held, subscriber)?.kind === 'workflow',
  )
  const without = await Promise.all(
    done.map(async (mark): Promise<Wrong[]> => {
      if (mark.run !== undefined && (await isThere(mark.subscriber, mark.run))) return []
      return [{ message: `${deliveryText(mark)} is done, and there is no run ${mark.run}`, id: mark.id }]
    }),
  )
  const again = await Promise.all(
    observed.retried.map(async ({ workflow, name, startedBy }): Promise<Wrong[]> => {
      const { state, notes = [], id } = observed.deliveries.get(startedBy) ?? {}
      // that it could not be started is noted, where the delivery itself does not say so
      if (notes.some((note) => note.includes('was not started')) || state !== 'done') return []
      if (observed.expired.has(startedBy) || (await isThere(workflow, name))) return []
      return [{ message: `run ${name} of ${workflow} was asked for and never started (${startedBy})`, id }]
    }),
  )
  return [...without, ...again].flat()
}
